// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDataCampaign} from "../../../contracts/campaign/IDataCampaign.sol";
import {CampaignEnd} from "../support/CampaignEnd.sol";

/// @notice The functions that the fuzzer calls on data campaigns. Money is compared after every call; campaigns that
/// cannot be ended are noted.
contract CampaignHandler is CampaignEnd {
    uint256 private constant MAX_LIVE = 2;
    uint32 private constant MAX_ENTRIES = 4;

    IDataCampaign.Terms[] private _live;
    /// Terms of all campaigns, those that are over included.
    IDataCampaign.Terms[] private _all;
    /// What was wrong first.
    string public broken;

    constructor() {
        setUp();
    }

    /// @notice Opens a campaign and adds an entry, so that histories go deep.
    function open(uint256 seed) external {
        if (_live.length >= MAX_LIVE) return;
        IDataCampaign.Terms memory terms = campaignTerms();
        if (seed % 2 == 0) terms.capacity = 3;
        open(terms);
        add(terms, author, 2);
        _live.push(terms);
        _all.push(terms);
        _check();
    }

    function act(uint256 seed) external {
        if (_live.length == 0) return;
        try this.perform(seed) {} catch {}
        _check();
    }

    function letTimePass(uint16 elapsed) external {
        vm.warp(vm.getBlockTimestamp() + elapsed % 4000);
    }

    /// @notice Nobody but strangers acts on a campaign any more.
    function finish(uint256 seed) external {
        if (_live.length == 0) return;
        uint256 index = seed % _live.length;
        IDataCampaign.Terms memory terms = _live[index];
        endByAnyone(terms);
        if (!isOver(terms)) broken = "a campaign cannot be ended";
        _check();
        _live[index] = _live[_live.length - 1];
        _live.pop();
    }

    /// @dev External, so that a call that the contract refuses changes nothing here either.
    function perform(uint256 seed) external {
        assertTrue(msg.sender == address(this), "only from act");
        IDataCampaign.Terms memory terms = _live[(seed >> 8) % _live.length];
        uint32 entries = campaignOf(terms).entries;
        IDataCampaign.Place memory place = IDataCampaign.Place(uint32((seed >> 16) % entries), uint32(seed >> 24) % 2, 0);
        place.fix = _fixAt(terms, place, seed >> 32);
        address one = [author, fixer, other][(seed >> 40) % 3];
        uint256 what = seed % 16;
        if (what < 4) fix(terms, one, place.entry, place.row);
        else if (what < 6) judge(terms, place, (seed >> 48) % 2 == 0);
        else if (what == 6) appeal(terms, place, one);
        else if (what == 7) empanel(terms, place);
        else if (what < 10) _commitOne(terms, place, seed >> 48);
        else if (what == 10) revealVote(terms, place, _memberOf(terms, place, seed >> 48), (seed >> 56) % 2 == 0);
        else if (what < 14) campaigns.take(terms, place);
        else if (what == 14) campaigns.refund(terms, place.entry);
        else if (entries < MAX_ENTRIES) add(terms, one, 2);
    }

    /// @dev The next one to be taken in three of four cases, any of the others else.
    function _fixAt(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, uint256 seed)
        private
        view
        returns (uint32)
    {
        IDataCampaign.Row memory row = rowOf(terms, place);
        if (seed % 4 != 0 || row.fixes == 0) return row.taken;
        return uint32(seed >> 2) % row.fixes;
    }

    function _commitOne(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, uint256 seed) private {
        commitVote(terms, place, _memberOf(terms, place, seed), (seed >> 8) % 2 == 0);
    }

    function _memberOf(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, uint256 seed)
        private
        view
        returns (address)
    {
        address[] memory members = panelOf(terms, place).members;
        return members[seed % members.length];
    }

    /// @dev Coins in = coins owed + what campaigns hold.
    function _check() private view {
        uint256 wanted = owedTo(owner) + owedTo(author) + owedTo(fixer) + owedTo(other);
        for (uint256 i = 0; i < accounts.length; ++i) {
            wanted += owedTo(accounts[i]);
        }
        for (uint256 i = 0; i < _all.length; ++i) {
            wanted += heldBy(_all[i]);
        }
        assertEq(address(campaigns).balance, wanted, "money");
    }
}
