// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../../contracts/interfaces/IJob.sol";
import {IProviderRating, Role} from "../../../contracts/interfaces/IProviderRating.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Job} from "../support/JobView.sol";
import {PlainToken} from "../support/Tokens.sol";
import {Pool} from "./Pool.sol";

/// @notice The ghost state of the campaigns: what must be true of the contracts, derived from the jobs that were posted
/// and the calls that succeeded.
abstract contract Ghost is Pool {
    uint256 internal constant GAS_BOUND = 2_000_000;

    PlainToken internal token;
    IJob.Terms[] internal jobs;
    /// By index in `jobs`: the state last seen.
    State[] internal states;
    /// Indices of jobs that are not final.
    uint256[] internal live;
    /// The first violation found, by number of the invariant; empty for none.
    mapping(uint256 invariant => string) public broken;
    /// How often jobs entered a state.
    mapping(State state => uint256) public reached;
    mapping(address account => uint256) internal deposits;
    mapping(bytes32 jobId => uint256) private _disputes;
    mapping(uint256 index => uint256) private _acceptedAt;
    /// The requester named the first validators.
    mapping(bytes32 jobId => bool) private _named;
    uint256 internal providerOutcomes;
    uint256 internal validatorOutcomes;
    /// Jobs that providers gave back, or that were short.
    uint256 internal requesterOutcomes;
    uint256 internal scores;

    /// @dev Compares every live job with its state before the call `name`.
    function observe(bytes4 name) internal {
        for (uint256 i = live.length; i > 0; --i) {
            uint256 index = live[i - 1];
            Job memory current = jobOf(jobs[index]);
            bool moved = current.state != states[index];
            bytes32 id = escrow.jobIdOf(jobs[index]);
            if (!noteDraw(id, current, moved, name)) breaks(8, "8: drawn from a pool that parties could still change");
            if (!moved) continue;
            _checkTransition(index, states[index], current, name);
            if (_isFinal(current.state)) _close(index, current, name);
            states[index] = current.state;
            if (current.state == State.Accepted) _acceptedAt[index] = vm.getBlockTimestamp();
            ++reached[current.state];
            if (!_isFinal(current.state)) continue;
            live[i - 1] = live[live.length - 1];
            live.pop();
        }
    }

    /// @dev Invariant 1: coins in = coins out + coins owed.
    function checkMoney() public view {
        uint256 coins = 0;
        uint256 tokens = 0;
        for (uint256 i = 0; i < live.length; ++i) {
            IJob.Terms memory terms = jobs[live[i]];
            uint256 held = _heldFor(terms);
            if (terms.token == address(0)) coins += held;
            else tokens += held;
        }
        // Deposits of lost challenges are owed to the zero address.
        coins += escrow.owed(address(0), address(0));
        tokens += escrow.owed(address(0), address(token));
        uint256 staked = registry.burnt();
        for (uint256 i = 0; i < accounts.length; ++i) {
            coins += escrow.owed(accounts[i], address(0));
            tokens += escrow.owed(accounts[i], address(token));
            (uint256 leaving,) = registry.leaving(accounts[i]);
            staked += registry.offerOf(accounts[i]).stake + leaving;
        }
        assertEq(address(escrow).balance, coins, "1: coins in the escrow");
        assertEq(token.balanceOf(address(escrow)), tokens, "1: tokens in the escrow");
        assertEq(address(registry).balance, staked, "1: coins in the registry");
    }

    /// @dev Invariant 3: each account is owed what the rule says, no more and no less.
    function checkDues() public view override {
        for (uint256 i = 0; i < accounts.length; ++i) {
            address who = accounts[i];
            assertEq(escrow.owed(who, address(0)), due[who][address(0)], "3: coins owed by the rule");
            assertEq(escrow.owed(who, address(token)), due[who][address(token)], "3: tokens owed by the rule");
        }
    }

    /// @dev Invariant 7: stakes are as deposited, except what the rules took; only live jobs lock stake.
    function checkStakes() public view {
        for (uint256 i = 0; i < accounts.length; ++i) {
            address who = accounts[i];
            IProviderRegistry.Offer memory offer = registry.offerOf(who);
            (uint256 leaving,) = registry.leaving(who);
            assertEq(offer.stake + leaving + slashes[who], deposits[who], "7: slashed by the rules alone");
            assertEq(offer.lockedStake, _lockedOf(who), "7: locked by live jobs alone");
        }
        assertEq(registry.burnt(), burnt, "7: burnt by the rules alone");
    }

    /// @dev Invariant 5: one outcome for each party of a final job, and one score for each side.
    function checkRatings() public view {
        uint256 asProvider = 0;
        uint256 asValidator = 0;
        uint256 asRequester = 0;
        uint256 given = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            IProviderRating.Rating memory provides = rating.ratingOf(accounts[i], Role.Provider);
            IProviderRating.Rating memory validates = rating.ratingOf(accounts[i], Role.Validator);
            asProvider += _outcomes(provides);
            asValidator += _outcomes(validates);
            asRequester += _outcomes(rating.ratingOf(accounts[i], Role.Requester));
            given += provides.count + validates.count + rating.ratingOf(accounts[i], Role.Requester).count;
        }
        assertEq(asProvider, providerOutcomes, "5: outcomes of providers");
        assertEq(asValidator, validatorOutcomes, "5: outcomes of validators");
        assertEq(asRequester, requesterOutcomes, "5: outcomes of requesters");
        assertEq(given, scores, "5: scores");
    }

    function breaks(uint256 invariant, string memory what) internal {
        if (bytes(broken[invariant]).length == 0) broken[invariant] = what;
    }

    function _isFinal(State state) internal pure returns (bool) {
        return state == State.Settled || state == State.Refunded || state == State.Cancelled;
    }

    /// @dev Invariant 4: the transitions of the table and no others; back only by challenge and appeal, once each.
    function _checkTransition(uint256 index, State from, Job memory current, bytes4 name) private {
        if (!_isTransition(from, current.state)) breaks(4, "a transition that is not in the table");
        if (current.state != State.Validating) return;
        bytes32 id = escrow.jobIdOf(jobs[index]);
        if (from == State.Submitted) {
            _named[id] = name == escrow.appoint.selector;
            return;
        }
        noteHidden(jobs[index]);
        uint256 bit = name == escrow.challenge.selector ? 1 : name == escrow.appeal.selector ? 2 : 4;
        if (bit == 4) breaks(4, "back without challenge or appeal");
        if (_disputes[id] & bit != 0) breaks(4, "disputed twice");
        _disputes[id] |= bit;
    }

    function _isTransition(State from, State to) private pure returns (bool) {
        if (from == State.Posted) return to == State.Accepted || to == State.Cancelled;
        if (from == State.Accepted) return to == State.Submitted || to == State.Refunded;
        if (from == State.Submitted) return to == State.Validating || to == State.Claimed || to == State.Refunded;
        if (from == State.Claimed) return to == State.Validating || to == State.Settled;
        if (from == State.Validating) {
            return to == State.Validated || to == State.Rejected || to == State.Inconclusive;
        }
        if (from == State.Validated) return to == State.Settled || to == State.Claimed || to == State.Refunded;
        if (from == State.Inconclusive) {
            return to == State.Settled || to == State.Validating || to == State.Refunded;
        }
        return from == State.Rejected && (to == State.Validating || to == State.Refunded);
    }

    /// @dev Adds the payments, slashes and outcomes of a job that ended to the ghost state.
    function _close(uint256 index, Job memory job, bytes4 name) private {
        IJob.Terms memory terms = jobs[index];
        State before = states[index];
        End memory end;
        end.state = job.state;
        if (job.state == State.Cancelled) return _oweEnd(terms, end);
        validatorOutcomes += job.occupied;
        bool settledBack = job.state == State.Refunded && name == escrow.settle.selector;
        bool stopped = name == escrow.stop.selector;
        if ((!settledBack || before == State.Rejected) && !stopped) ++providerOutcomes;
        end.unmet = settledBack && before == State.Rejected && job.unmet;
        if (end.unmet || name == escrow.release.selector) ++requesterOutcomes;
        if (end.unmet) end.share = EFFORT;
        else if (stopped) end.share = _shareOf(index);

        end.round = job.round;
        end.challenged = job.challenged;
        end.appealed = job.appealed;
        end.confirmed = job.state == State.Settled && job.passes * 2 > job.seats;
        end.slashed = name == escrow.expire.selector || settledBack && before == State.Rejected && !job.unmet;
        end.contradicted = end.slashed && settledBack && job.disclosed;
        end.named = _named[escrow.jobIdOf(terms)];
        end.undrawn = job.toDraw != 0;
        _oweEnd(terms, end);
    }

    /// @dev What a stop pays now, of 10,000: the time since the job was accepted, within the bounds of the terms.
    function _shareOf(uint256 index) private view returns (uint256 share) {
        share = (vm.getBlockTimestamp() - _acceptedAt[index]) * 10_000 / WINDOW;
        if (share < STOP_FLOOR) return STOP_FLOOR;
        if (share > STOP_CAP) return STOP_CAP;
    }

    function _heldFor(IJob.Terms memory terms) private view returns (uint256 held) {
        Job memory current = jobOf(terms);
        held = terms.price + uint256(terms.rule.validators()) * terms.validatorFee;
        if (current.challenged) held += 3 * uint256(terms.validatorFee) + terms.price / 2;
        if (current.appealed) held += 3 * uint256(terms.validatorFee);
    }

    function _lockedOf(address who) private view returns (uint256 locked) {
        for (uint256 i = 0; i < live.length; ++i) {
            IJob.Terms memory terms = jobs[live[i]];
            bytes32 id = escrow.jobIdOf(terms);
            if (terms.provider == who && states[live[i]] != State.Posted) locked += terms.providerStake;
            SeatStatus seat = escrow.seatOf(id, who);
            if (seat != SeatStatus.None && seat != SeatStatus.Abstained && seat != SeatStatus.Dismissed) {
                locked += terms.validatorStake;
            }
        }
    }

    function _outcomes(IProviderRating.Rating memory r) private pure returns (uint256) {
        return uint256(r.settled) + r.late + r.rejected + r.released + r.abstained + r.hid + r.unmet;
    }
}
