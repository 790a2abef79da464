// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDataCampaign} from "../../../contracts/campaign/IDataCampaign.sol";
import {IImprovementMarket, MarketState} from "../../../contracts/campaign/IImprovementMarket.sol";
import {MarketSteps} from "../support/MarketSteps.sol";

/// @notice The functions that the fuzzer calls on improvement markets. What each market holds is counted here, from its
/// offer, stakes and what it paid, and compared with the contract's coins after every call.
contract MarketHandler is MarketSteps {
    uint256 private constant MAX_LIVE = 2;
    /// Of each campaign: the author's and the fixer's.
    uint32 private constant ENTRIES = 2;
    bytes32 private constant OTHER_ROOT = keccak256("another root");

    IDataCampaign.Terms[] private _live;
    /// What was wrong first.
    string public broken;
    /// How often markets came to a state, and how often each call was made with success.
    mapping(MarketState state => uint256) public reached;
    mapping(bytes4 call => uint256) public made;
    /// What all markets together hold by the rules, smallest unit.
    uint256 private _held;

    constructor() {
        setUp();
    }

    /// @notice Opens a campaign of two entries with a market beside it, in most cases with stakes, so that histories go deep.
    function open(uint256 seed) external {
        if (_live.length >= MAX_LIVE) return;
        IDataCampaign.Terms memory terms = marketTerms();
        open(terms);
        openMarket(terms);
        _held += BOUNTY + PANEL_FEES;
        add(terms, author, 1);
        add(terms, fixer, 1);
        _live.push(terms);
        if (seed % 8 != 0) showFirst(terms);
        for (uint32 i = 0; i < ENTRIES && seed % 8 > 1 + i; ++i) {
            _stake(campaigns.campaignIdOf(terms), i, seed >> (8 * i));
        }
        _check();
    }

    /// @notice A call of a party, or of anyone; what the contract refuses changes nothing.
    function act(uint256 seed) external {
        if (_live.length == 0) return;
        uint256 index = (seed >> 8) % _live.length;
        IDataCampaign.Terms memory terms = _live[index];
        bytes32 id = campaigns.campaignIdOf(terms);
        MarketState before = stateOf(id);
        try this.perform(seed) {} catch {}
        if (stateOf(id) != before) ++reached[stateOf(id)];
        if (_isEmpty(id)) _forget(index);
        _check();
    }

    /// @notice Nobody but strangers acts on a market any more.
    function finish(uint256 seed) external {
        if (_live.length == 0) return;
        uint256 index = seed % _live.length;
        bytes32 id = campaigns.campaignIdOf(_live[index]);
        _endByAnyone(id);
        if (!_isEmpty(id)) broken = "a market cannot be ended";
        ++made[this.finish.selector];
        _forget(index);
        _check();
    }

    /// @dev External, so that a call that the contract refuses changes nothing here either.
    function perform(uint256 seed) external {
        assertTrue(msg.sender == address(this), "only from act");
        IDataCampaign.Terms memory terms = _live[(seed >> 8) % _live.length];
        bytes32 id = campaigns.campaignIdOf(terms);
        MarketState state = stateOf(id);
        if (state == MarketState.Open) _actOpen(terms, id, seed >> 16);
        else if (state == MarketState.Drawing) _actDrawing(id, seed >> 16);
        else if (state == MarketState.Voting) _actVoting(id, seed >> 16);
        else if (state == MarketState.Settled) _actSettled(id, seed >> 16);
        else _refund(id, uint32(seed >> 16) % ENTRIES);
    }

    // ── By state

    function _actOpen(IDataCampaign.Terms memory terms, bytes32 id, uint256 seed) private {
        uint256 what = seed % 8;
        if (what < 2) return _stake(id, uint32(seed >> 8) % ENTRIES, seed >> 16);
        if (what == 2) return showFirst(terms);
        // An owner in three shows nothing more.
        if (what < 7 && uint256(id) % 3 != 0) return showOther(terms);
        passTime(offerFor(terms).showBy);
        market.begin(id);
        if (stateOf(id) == MarketState.Void) _held -= BOUNTY + PANEL_FEES;
    }

    function _actDrawing(bytes32 id, uint256 seed) private {
        if (seed % 8 != 0) return drawMarket(id);
        passTime(market.marketOf(id).deadline);
        _settle(id);
    }

    /// @dev The panel of one market in four disagrees; in others its last member may. In one call of 64 the time of the
    /// step is over, in one the market is settled whatever is missing; else the next member acts.
    function _actVoting(bytes32 id, uint256 seed) private {
        IImprovementMarket.Seat[] memory seats = market.seatsOf(id);
        uint256 deadline = market.marketOf(id).deadline;
        uint256 index = 0;
        bool isOver = vm.getBlockTimestamp() > deadline;
        while (index < seats.length && (isOver ? _isDone(seats[index]) : seats[index].committed)) ++index;
        if (seed % 64 == 0 || (isOver && index == seats.length)) {
            passTime(deadline + STEP);
            return _settle(id);
        }
        if (seed % 64 == 1 || index == seats.length) return passTime(deadline);
        bytes32 root = uint256(id) % 4 == 0 ? keccak256(abi.encode(index)) : _root(id);
        if (index == 2 && uint256(id) % 5 == 0) root = OTHER_ROOT;
        if (!isOver) return commitRoot(id, seats[index].member, root);
        revealRoot(id, seats[index].member, root);
        ++made[IImprovementMarket.reveal.selector];
    }

    function _isDone(IImprovementMarket.Seat memory seat) private pure returns (bool) {
        return seat.revealed || !seat.committed;
    }

    function _actSettled(bytes32 id, uint256 seed) private {
        if (seed % 4 == 0) {
            passTime(market.marketOf(id).deadline);
            _held -= market.marketOf(id).pool;
            market.sweep(id);
            ++made[IImprovementMarket.sweep.selector];
        } else if (seed % 2 == 0) {
            _claim(id, 0, author, _gain(id), payoutLeaf(OWNERS, owner, _rest(id)));
        } else {
            _claim(id, OWNERS, owner, _rest(id), payoutLeaf(0, author, _gain(id)));
        }
    }

    // ── Calls, and what they pay

    function _stake(bytes32 id, uint32 entry, uint256 seed) private {
        uint96 amount = LEAST + uint96(seed % LEAST);
        stake(id, entry == 0 ? author : fixer, entry, amount);
        _held += amount;
        ++made[IImprovementMarket.stake.selector];
    }

    /// @dev Fees and, where there is no root, the bounty leave what the market holds.
    function _settle(bytes32 id) private {
        market.settle(id);
        _held -= PANEL_FEES;
        if (stateOf(id) == MarketState.Void) _held -= BOUNTY;
        ++made[IImprovementMarket.settle.selector];
    }

    function _claim(bytes32 id, uint32 entry, address account, uint128 amount, bytes32 sibling) private {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = sibling;
        market.claim(id, entry, account, amount, proof);
        _held -= amount;
        ++made[IImprovementMarket.claim.selector];
    }

    function _refund(bytes32 id, uint32 entry) private {
        uint256 own = market.stakeOf(id, entry);
        uint256 whole = stateOf(id) == MarketState.Unshown ? BOUNTY + PANEL_FEES : 0;
        address by = entry == 0 ? author : fixer;
        uint256 before = owedBy(by);
        market.refund(id, entry);
        uint256 got = owedBy(by) - before;
        // The stake, and no more than the bounty and the fees beside it.
        if (got < own || got > own + whole) broken = "a refund is not the stake and its part";
        _held -= got;
        ++made[IImprovementMarket.refund.selector];
    }

    // ── Ends

    function _endByAnyone(bytes32 id) private {
        IImprovementMarket.Market memory found = market.marketOf(id);
        if (found.state == MarketState.Open) {
            passTime(found.offer.showBy);
            market.begin(id);
            ++reached[stateOf(id)];
            if (stateOf(id) == MarketState.Void) _held -= BOUNTY + PANEL_FEES;
            found = market.marketOf(id);
        }
        if (found.state == MarketState.Drawing || found.state == MarketState.Voting) {
            passTime(uint256(found.deadline) + STEP);
            _settle(id);
            ++reached[stateOf(id)];
            found = market.marketOf(id);
        }
        if (found.state == MarketState.Settled) {
            passTime(found.deadline);
            _held -= found.pool;
            market.sweep(id);
            return;
        }
        for (uint32 i = 0; i < ENTRIES; ++i) {
            if (market.stakeOf(id, i) != 0) _refund(id, i);
        }
    }

    /// @dev Over, with nothing left that anybody could be credited with.
    function _isEmpty(bytes32 id) private view returns (bool) {
        IImprovementMarket.Market memory found = market.marketOf(id);
        if (found.state == MarketState.Settled) return found.pool == 0;
        return (found.state == MarketState.Void || found.state == MarketState.Unshown) && found.staked == 0;
    }

    function _forget(uint256 index) private {
        _live[index] = _live[_live.length - 1];
        _live.pop();
    }

    // ── Payouts: the author's entry gains half of the bounty, the owner has the rest

    function _gain(bytes32 id) private view returns (uint128) {
        return uint128(BOUNTY / 2 + market.stakeOf(id, 0));
    }

    function _rest(bytes32 id) private view returns (uint128) {
        return BOUNTY - BOUNTY / 2 + uint128(market.stakeOf(id, 1));
    }

    function _root(bytes32 id) private view returns (bytes32) {
        return pairOf(payoutLeaf(0, author, _gain(id)), payoutLeaf(OWNERS, owner, _rest(id)));
    }

    /// @dev Coins in = coins owed + what markets hold.
    function _check() private view {
        uint256 wanted = _held + owedBy(owner) + owedBy(author) + owedBy(fixer) + owedBy(other);
        for (uint256 i = 0; i < accounts.length; ++i) {
            wanted += owedBy(accounts[i]);
        }
        assertEq(address(market).balance, wanted, "money");
    }
}
