// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixState, FixVerdict, IDataCampaign, VoteStatus} from "../../../contracts/campaign/IDataCampaign.sol";
import {CampaignEnd} from "../support/CampaignEnd.sol";

/// @notice From every situation, with every subset of the parties silent, a campaign ends in bounded time and all money
/// is owed to somebody. See exit.tree.
contract CampaignExitTest is CampaignEnd {
    enum Situation {
        Opened,
        Added,
        Fixed,
        FixedTwice,
        Judged,
        Appealed,
        Empanelled,
        Committed,
        Refunded,
        Closed
    }

    /// The parties that still act. Anyone can make the calls that are anyone's.
    struct Active {
        bool owner;
        bool author;
        bool fixer;
        bool panel;
    }

    uint256 private constant MOST_STEPS = 40;

    function test_FromOpened() public {
        _leaveFrom(Situation.Opened);
    }

    function test_FromAdded() public {
        _leaveFrom(Situation.Added);
    }

    function test_FromFixed() public {
        _leaveFrom(Situation.Fixed);
    }

    function test_FromFixedTwice() public {
        _leaveFrom(Situation.FixedTwice);
    }

    function test_FromJudged() public {
        _leaveFrom(Situation.Judged);
    }

    function test_FromAppealed() public {
        _leaveFrom(Situation.Appealed);
    }

    function test_FromEmpanelled() public {
        _leaveFrom(Situation.Empanelled);
    }

    function test_FromCommitted() public {
        _leaveFrom(Situation.Committed);
    }

    function test_FromRefunded() public {
        _leaveFrom(Situation.Refunded);
    }

    function test_FromClosed() public {
        _leaveFrom(Situation.Closed);
    }

    function _leaveFrom(Situation situation) private {
        for (uint256 mask = 0; mask < 16; ++mask) {
            uint256 snapshot = vm.snapshotState();
            _leave(situation, Active(mask & 1 != 0, mask & 2 != 0, mask & 4 != 0, mask & 8 != 0));
            vm.revertToState(snapshot);
        }
    }

    function _leave(Situation situation, Active memory active) private {
        IDataCampaign.Terms memory terms = _bring(situation);
        uint256 start = vm.getBlockTimestamp();
        for (uint256 i = 0; i < MOST_STEPS && _act(terms, active); ++i) {}
        endByAnyone(terms);
        assertTrue(isOver(terms), "over");
        // Five steps of a fix, and the windows that began before them.
        uint256 most = FIX_WINDOW + 6 * uint256(STEP);
        if (start + most < terms.closesAt) most = terms.closesAt - start;
        assertTrue(vm.getBlockTimestamp() - start <= most + 6, "in bounded time");
        uint256 owed = owedTo(owner) + owedTo(author) + owedTo(fixer) + owedTo(other);
        for (uint256 i = 0; i < accounts.length; ++i) {
            owed += owedTo(accounts[i]);
        }
        assertEq(address(campaigns).balance, owed, "all money is owed");
    }

    function _bring(Situation situation) private returns (IDataCampaign.Terms memory terms) {
        terms = opened();
        if (situation == Situation.Opened) return terms;
        add(terms, author, 4);
        if (situation == Situation.Added) return terms;
        IDataCampaign.Place memory place = fix(terms, fixer, 0, 2);
        if (situation == Situation.FixedTwice) fix(terms, other, 0, 2);
        if (situation == Situation.Closed) {
            vm.prank(owner);
            campaigns.close(terms);
        }
        if (situation == Situation.Refunded) {
            vm.warp(uint256(entryOf(terms, 0).addedAt) + FIX_WINDOW);
            fix(terms, fixer, 0, 3);
            passFixWindow(terms, 0);
            campaigns.refund(terms, 0);
        }
        if (situation < Situation.Judged || situation > Situation.Committed) return terms;
        judge(terms, place, false);
        if (situation == Situation.Judged) return terms;
        appeal(terms, place, fixer);
        if (situation == Situation.Appealed) return terms;
        empanel(terms, place);
        if (situation == Situation.Empanelled) return terms;
        address[] memory members = panelOf(terms, place).members;
        for (uint256 i = 0; i < members.length; ++i) {
            commitVote(terms, place, members[i], true);
        }
    }

    /// @dev What the active parties do next; false where none has anything to do.
    function _act(IDataCampaign.Terms memory terms, Active memory active) private returns (bool) {
        if (campaignOf(terms).entries == 0) return false;
        for (uint32 row = 2; row < 4; ++row) {
            IDataCampaign.Place memory place = IDataCampaign.Place(0, row, 0);
            for (uint32 fixes = rowOf(terms, place).fixes; place.fix < fixes; ++place.fix) {
                if (_actOn(terms, place, active)) return true;
            }
        }
        return false;
    }

    function _actOn(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, Active memory active)
        private
        returns (bool)
    {
        IDataCampaign.Fix memory found = fixOf(terms, place);
        bool inTime = vm.getBlockTimestamp() <= found.deadline;
        if (found.state == FixState.Judging && active.owner && inTime) {
            judge(terms, place, place.fix == 0);
            return true;
        }
        if (found.state == FixState.Judging && (active.author || active.fixer)) {
            passTime(found.deadline);
            if (vm.getBlockTimestamp() > uint256(found.deadline) + STEP) return false;
            appeal(terms, place, active.author ? author : found.fixer);
            return true;
        }
        if (found.state == FixState.Judged && inTime) return _appealVerdict(terms, place, active);
        if (found.state == FixState.Drawing && inTime && (active.author || active.fixer)) {
            empanel(terms, place);
            return true;
        }
        return found.state == FixState.Voting && active.panel && inTime && _panelActs(terms, place);
    }

    function _appealVerdict(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, Active memory active)
        private
        returns (bool)
    {
        bool right = fixOf(terms, place).verdict == FixVerdict.Right;
        if (right ? !active.author : !active.fixer) return false;
        appeal(terms, place, right ? author : fixOf(terms, place).fixer);
        return true;
    }

    function _panelActs(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place)
        private
        returns (bool acted)
    {
        address[] memory members = panelOf(terms, place).members;
        for (uint256 i = 0; i < members.length; ++i) {
            VoteStatus status = voteStatusOf(terms, place, members[i]);
            if (status == VoteStatus.Drawn) commitVote(terms, place, members[i], true);
            else if (status == VoteStatus.Committed) revealVote(terms, place, members[i], true);
            else continue;
            acted = true;
        }
    }
}
