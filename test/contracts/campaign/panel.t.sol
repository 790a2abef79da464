// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixState, FixVerdict, IDataCampaign, VoteStatus} from "../../../contracts/campaign/IDataCampaign.sol";
import {CampaignSteps} from "../support/CampaignSteps.sol";

/// @notice Appeals to a drawn panel; see panel.tree.
contract CampaignPanelTest is CampaignSteps {
    IDataCampaign.Terms private terms;
    IDataCampaign.Place private place;

    function setUp() public override {
        super.setUp();
        terms = opened();
        add(terms, author, 1);
        place = fix(terms, fixer, 0, 0);
    }

    // ── Appeal

    function test_WhenTheOwnerIsSilent_EitherPartyAppeals() public {
        passFix(terms, place);
        uint256 snapshot = vm.snapshotState();
        appeal(terms, place, author);
        assertTrue(isStanding(terms, place, FixState.Drawing), "the author's");
        vm.revertToState(snapshot);
        appeal(terms, place, fixer);
        assertTrue(isStanding(terms, place, FixState.Drawing), "the fixer's");
    }

    function test_RevertWhen_TheWinnerAppeals() public {
        judge(terms, place, true);
        _assertUnappealable(fixer, refusal(terms, IDataCampaign.DataCampaign_NotParty.selector, fixer));
        appeal(terms, place, author);
    }

    function test_RevertWhen_AStrangerAppeals() public {
        judge(terms, place, true);
        _assertUnappealable(other, refusal(terms, IDataCampaign.DataCampaign_NotParty.selector, other));
    }

    function test_RevertWhen_AppealedWhileTheOwnerMayJudge() public {
        uint256 deadline = fixOf(terms, place).deadline;
        vm.warp(deadline);
        _assertUnappealable(fixer, refusal(terms, IDataCampaign.DataCampaign_TooEarly.selector, deadline));
    }

    function test_RevertWhen_AppealedLate() public {
        uint256 deadline = uint256(fixOf(terms, place).deadline) + STEP;
        passTime(deadline);
        _assertUnappealable(fixer, refusal(terms, IDataCampaign.DataCampaign_TooLate.selector, deadline));
    }

    function test_RevertWhen_AVerdictIsAppealedLate() public {
        judge(terms, place, true);
        uint256 deadline = fixOf(terms, place).deadline;
        passTime(deadline);
        _assertUnappealable(author, refusal(terms, IDataCampaign.DataCampaign_TooLate.selector, deadline));
    }

    function test_RevertWhen_AppealedTwice() public {
        judge(terms, place, true);
        appeal(terms, place, author);
        _assertUnappealable(author, refusal(terms, IDataCampaign.DataCampaign_InvalidFixStatus.selector, 3));
    }

    // ── Draw

    function test_ThePanelHasThreeMembersOfThePoolAndNoParty() public {
        _appealed();
        empanel(terms, place);
        address[] memory members = panelOf(terms, place).members;
        assertEq(members.length, 3, "members");
        for (uint256 i = 0; i < 3; ++i) {
            assertTrue(registry.offerOf(members[i]).pooled, "of the pool");
            assertTrue(members[i] != members[(i + 1) % 3], "another");
        }
    }

    function test_WhenThePartiesArePooled_TheyAreNotDrawn() public {
        // All but three of the pool are parties or gone.
        terms = campaignTerms();
        (terms.owner, author, fixer) = (accounts[0], accounts[1], accounts[2]);
        for (uint256 i = 6; i < accounts.length; ++i) {
            vm.prank(accounts[i]);
            registry.requestWithdrawal(accounts[i], STAKE);
        }
        vm.warp(vm.getBlockTimestamp() + 1);
        open(terms);
        add(terms, author, 1);
        place = fix(terms, fixer, 0, 0);
        _appealed();
        empanel(terms, place);
        address[] memory members = panelOf(terms, place).members;
        assertEq(members.length, 3, "the other three");
        for (uint256 i = 0; i < members.length; ++i) {
            assertTrue(members[i] != accounts[0] && members[i] != author && members[i] != fixer, "no party");
        }
    }

    function test_WhenAnAccountJoinsAfterTheRowWasAdded_ItIsNotDrawn() public {
        vm.warp(vm.getBlockTimestamp() + 1);
        for (uint256 i = 0; i < accounts.length; ++i) {
            vm.prank(accounts[i]);
            registry.requestWithdrawal(accounts[i], STAKE);
        }
        for (uint256 i = 0; i < 5; ++i) {
            join(7000 + i);
        }
        _appealed();
        empanel(terms, place);
        assertEq(panelOf(terms, place).members.length, 0, "members");
        campaigns.take(terms, place);
        assertEq(owedTo(author), PANEL_FEES, "the fees go back");
        assertEq(owedTo(fixer), uint256(FIX_BOND) + ROW_DEPOSIT + REWARD, "the owner's verdict stands");
    }

    function test_WhenTheBlockHashIsGone_AnotherBlockDraws() public {
        _appealed();
        vm.roll(uint256(panelOf(terms, place).drawBlock) + 300);
        campaigns.empanel(terms, place);
        assertTrue(isStanding(terms, place, FixState.Drawing), "not yet");
        empanel(terms, place);
        assertTrue(isStanding(terms, place, FixState.Voting), "drawn");
    }

    function test_RevertWhen_TheDrawingBlockIsNotThereYet() public {
        _appealed();
        uint256 drawBlock = panelOf(terms, place).drawBlock;
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_NoBlockHash.selector, drawBlock);
        refuses(other, 0, abi.encodeCall(campaigns.empanel, (terms, place)), reason);
    }

    function test_RevertWhen_DrawnLate() public {
        _appealed();
        uint256 deadline = fixOf(terms, place).deadline;
        passTime(deadline);
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_TooLate.selector, deadline);
        refuses(other, 0, abi.encodeCall(campaigns.empanel, (terms, place)), reason);
    }

    // ── Vote

    function test_WhenTheMajorityOverturnsTheOwner_TheAuthorIsPaidAndTheFeesAreCovered() public {
        _appealed();
        empanel(terms, place);
        vote(terms, place, 1);
        campaigns.take(terms, place);
        passFixWindow(terms, 0);
        campaigns.refund(terms, 0);
        // Its own fees: the outvoted member's comes back.
        assertEq(owedTo(author), uint256(FIX_BOND) + ROW_DEPOSIT + ROW_PRICE + VOTE_FEE, "author");
        assertEq(owedTo(fixer), 0, "fixer");
        address[] memory members = panelOf(terms, place).members;
        assertEq(owedTo(members[0]), 0, "the outvoted one");
        assertEq(owedTo(members[1]) + owedTo(members[2]), 2 * uint256(VOTE_FEE), "the majority");
    }

    function testFuzz_AMajorityDecides(uint8 rights) public {
        rights %= 4;
        passFix(terms, place);
        appeal(terms, place, fixer);
        empanel(terms, place);
        vote(terms, place, rights);
        campaigns.take(terms, place);
        assertTrue(rowOf(terms, place).isFixed == (rights >= 2), "as most voted");
    }

    function test_WhenThePanelIsSilent_TheOwnersVerdictStandsAndTheFeesGoBack() public {
        _appealed();
        empanel(terms, place);
        passFix(terms, place);
        campaigns.take(terms, place);
        assertEq(owedTo(author), PANEL_FEES, "the fees");
        assertEq(owedTo(fixer), uint256(FIX_BOND) + ROW_DEPOSIT + REWARD, "as the owner found");
    }

    function test_WhenOnlyOneVotes_ItIsPaidAndDecidesNothing() public {
        _appealed();
        empanel(terms, place);
        address member = panelOf(terms, place).members[0];
        commitVote(terms, place, member, false);
        uint256 deadline = fixOf(terms, place).deadline;
        bytes memory early = refusal(terms, IDataCampaign.DataCampaign_TooEarly.selector, deadline);
        refuses(member, 0, abi.encodeCall(campaigns.revealVote, (terms, place, false, SALT)), early);
        passTime(deadline);
        revealVote(terms, place, member, false);
        campaigns.take(terms, place);
        assertEq(owedTo(member), VOTE_FEE, "paid");
        assertTrue(rowOf(terms, place).isFixed, "as the owner found");
    }

    function test_WhenVotesAreHidden_TheyAreNotPaidNorWaitedForLong() public {
        _appealed();
        empanel(terms, place);
        address[] memory members = panelOf(terms, place).members;
        for (uint256 i = 0; i < 3; ++i) {
            commitVote(terms, place, members[i], false);
        }
        uint256 deadline = fixOf(terms, place).deadline;
        vm.warp(deadline);
        bytes memory early = refusal(terms, IDataCampaign.DataCampaign_TooEarly.selector, deadline);
        refuses(fixer, 0, abi.encodeCall(campaigns.take, (terms, place)), early);
        passTime(deadline);
        bytes memory late = refusal(terms, IDataCampaign.DataCampaign_TooLate.selector, deadline);
        refuses(members[0], 0, abi.encodeCall(campaigns.revealVote, (terms, place, false, SALT)), late);
        campaigns.take(terms, place);
        assertEq(owedTo(author), PANEL_FEES, "the fees");
    }

    function test_RevertWhen_AVoteIsNotWhatWasCommitted() public {
        _appealed();
        empanel(terms, place);
        address[] memory members = panelOf(terms, place).members;
        for (uint256 i = 0; i < 3; ++i) {
            commitVote(terms, place, members[i], false);
        }
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_CommitmentMismatch.selector, members[0]);
        refuses(members[0], 0, abi.encodeCall(campaigns.revealVote, (terms, place, true, SALT)), reason);
    }

    function test_RevertWhen_AStrangerVotesOrAMemberTwice() public {
        _appealed();
        empanel(terms, place);
        bytes memory data = abi.encodeCall(campaigns.commitVote, (terms, place, SALT));
        refuses(other, 0, data, _wrongVote(other, VoteStatus.None));
        address member = panelOf(terms, place).members[0];
        commitVote(terms, place, member, true);
        refuses(member, 0, data, _wrongVote(member, VoteStatus.Committed));
    }

    function test_RevertWhen_CommittedLate() public {
        _appealed();
        empanel(terms, place);
        uint256 deadline = fixOf(terms, place).deadline;
        passTime(deadline);
        address member = panelOf(terms, place).members[0];
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_TooLate.selector, deadline);
        refuses(member, 0, abi.encodeCall(campaigns.commitVote, (terms, place, SALT)), reason);
    }

    // ── Steps

    /// @dev The owner found the fix right, and the author appealed.
    function _appealed() private {
        judge(terms, place, true);
        assertTrue(fixOf(terms, place).verdict == FixVerdict.Right, "right");
        appeal(terms, place, author);
    }

    function _assertUnappealable(address by, bytes memory reason) private {
        refuses(by, PANEL_FEES, abi.encodeCall(campaigns.appeal, (terms, place)), reason);
    }

    function _wrongVote(address member, VoteStatus status) private view returns (bytes memory) {
        bytes4 selector = IDataCampaign.DataCampaign_WrongVote.selector;
        return abi.encodeWithSelector(selector, campaigns.campaignIdOf(terms), member, status);
    }
}
