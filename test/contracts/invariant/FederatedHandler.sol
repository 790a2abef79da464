// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FederatedState, IFederated, PanelStatus, Standing} from "../../../contracts/interfaces/IFederated.sol";
import {FederatedEnd} from "../support/FederatedEnd.sol";

/// @notice The functions that the fuzzer calls on federated jobs. Money and stakes are compared after every call; jobs
/// that cannot be ended are noted.
contract FederatedHandler is FederatedEnd {
    uint256 private constant MAX_LIVE = 3;
    /// Calls and windows within which anybody can end a job.
    uint256 private constant MOST_CALLS = 12;
    uint256 private constant MOST_WINDOWS = 12;

    IFederated.Terms[] private _live;
    /// Terms of all jobs, and the jobs that are over with what they still hold.
    IFederated.Terms[] private _jobs;
    mapping(address account => uint256) private _stakes;
    /// What was wrong first.
    string public broken;

    constructor() {
        setUp();
        _noteStakes();
    }

    /// @notice Posts a job, and brings some of them further at once, so that histories go deep.
    function post(uint256 seed) external {
        if (_live.length >= MAX_LIVE) return;
        IFederated.Terms memory terms = federatedTerms(uint8(seed % 4));
        terms.refunds = terms.seats > 1 && (seed >> 16) % 4 == 0;
        post(terms);
        _live.push(terms);
        _jobs.push(terms);
        uint256 far = (seed >> 8) % 6;
        for (uint256 i = 0; far != 0 && i < PROVIDERS; ++i) {
            try this.admit(terms, providers[i]) {} catch {}
        }
        try this.bring(terms, far) {} catch {}
        _check();
    }

    function act(uint256 seed) external {
        if (_live.length == 0) return;
        try this.perform(seed) {} catch {}
        _check();
    }

    function letTimePass(uint16 elapsed) external {
        vm.warp(vm.getBlockTimestamp() + elapsed);
    }

    /// @notice Nobody but strangers acts on a job any more.
    function finish(uint256 seed) external {
        if (_live.length == 0) return;
        uint256 index = seed % _live.length;
        IFederated.Terms memory terms = _live[index];
        uint256 start = vm.getBlockTimestamp();
        uint256 calls = 0;
        while (!isOver(terms) && calls++ < MOST_CALLS) {
            asAnyone(terms);
            _check();
        }
        bool soon = vm.getBlockTimestamp() - start <= MOST_WINDOWS * (ROUND + 1);
        if (!isOver(terms) || !soon) broken = "a job cannot be ended in time";
        _live[index] = _live[_live.length - 1];
        _live.pop();
    }

    /// @dev External, like those below, so that a call that the contract refuses changes nothing here either: enough
    /// strikes ban an account for good, and take its stake.
    function admit(IFederated.Terms memory terms, address provider) external {
        assertTrue(msg.sender == address(this), "only from post");
        enlist(terms, provider);
    }

    function bring(IFederated.Terms memory terms, uint256 far) external {
        assertTrue(msg.sender == address(this), "only from post");
        if (far > 1) begin(terms);
        if (far > 2 && terms.seats != 0) seat(terms);
    }

    function perform(uint256 seed) external {
        assertTrue(msg.sender == address(this), "only from act");
        IFederated.Terms memory terms = _live[(seed >> 8) % _live.length];
        address one = providers[(seed >> 16) % PROVIDERS];
        address about = (seed >> 24) % 2 == 0 ? address(0) : one;
        uint256 closed = jobOf(terms).closed;
        uint256 round = closed == 0 ? 1 : 1 + (seed >> 32) % closed;
        uint256 what = seed % 20;
        if (what == 0) enlist(terms, one);
        else if (what == 1) begin(terms);
        else if (what == 2) seat(terms);
        else if (what == 3) assertAll(terms);
        else if (what < 7) close(terms);
        else if (what == 7) claim(terms, earnersOf(terms)[(seed >> 40) % earnersOf(terms).length], round);
        else if (what == 8) challenge(terms, (seed >> 40) % 2 == 0 ? requester : one, round);
        else if (what == 9) empanel(terms, about);
        else if (what < 13) _commitOne(terms, about, seed >> 40);
        else if (what < 15) _revealOne(terms, about, seed >> 40);
        else if (what == 15) strike(terms, one);
        else if (what == 16) appeal(terms, one);
        else if (what == 17) _conclude(terms, about);
        else if (what == 18) release(terms, earnersOf(terms)[(seed >> 40) % earnersOf(terms).length]);
        else if ((seed >> 40) % 2 == 0) federation.expire(terms);
        else _stop(terms);
    }

    function _stop(IFederated.Terms memory terms) private {
        vm.prank(requester);
        federation.stop(terms);
    }

    function _commitOne(IFederated.Terms memory terms, address about, uint256 seed) private {
        address[] memory panel = disputeOf(terms, about).panel;
        commitFinding(terms, about, panel[seed % panel.length], _findingOf(terms, about, seed >> 8));
    }

    function _revealOne(IFederated.Terms memory terms, address about, uint256 seed) private {
        address[] memory panel = disputeOf(terms, about).panel;
        bytes32 finding = _findingOf(terms, about, seed >> 8);
        vm.prank(panel[seed % panel.length]);
        federation.revealFinding(terms, about, finding, "salt");
    }

    /// @dev What is right in three of four cases.
    function _findingOf(IFederated.Terms memory terms, address about, uint256 seed) private view returns (bytes32) {
        bool right = seed % 4 != 0;
        if (about != address(0)) return right ? federation.GUILTY() : federation.CLEAR();
        uint256 round = disputeOf(terms, about).round;
        return right ? federation.findingOf(closingsFrom(terms, round)[0].closing) : keccak256("other");
    }

    function _conclude(IFederated.Terms memory terms, address about) private {
        if (about == address(0)) concludeChallenge(terms, disputeOf(terms, about).round);
        else federation.concludeAppeal(terms, strikeOf(terms, about), strikers[federation.jobIdOf(terms)][about]);
    }

    // ── What must hold

    function _check() private {
        _checkMoney();
        _checkStakes();
        _noteStakes();
    }

    /// @dev Coins in = coins owed + what jobs and bonds hold.
    function _checkMoney() private view {
        uint256 wanted = owedTo(requester) + owedTo(address(0));
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            wanted += owedTo(providers[i]);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            wanted += owedTo(accounts[i]);
        }
        for (uint256 i = 0; i < _jobs.length; ++i) {
            wanted += _heldBy(_jobs[i]);
        }
        assertEq(address(federation).balance, wanted, "money");
    }

    function _heldBy(IFederated.Terms memory terms) private view returns (uint256 held) {
        IFederated.Job memory job = jobOf(terms);
        bool ended = job.state == FederatedState.Ended;
        bool disputed = job.state == FederatedState.Disputed;
        if (disputed) {
            held += federation.challengeBondOf(terms);
            ended = disputeOf(terms, address(0)).back == FederatedState.Ended;
        }
        uint256 rounds = ended ? job.closed : terms.rounds;
        uint256 seats = ended ? job.seated : terms.seats;
        held += rounds * (terms.roundPrice + seats * terms.seatFee);
        held -= federation.paidOf(federation.jobIdOf(terms));
        if (job.sharing != 0) held += job.sharing * (terms.roundPrice / job.asserted);
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            if (standingOf(terms, providers[i]) == Standing.Appealing) held += 3 * terms.seatFee;
        }
        if (terms.refunds) held += _forfeitOf(terms, job.enlisted);
    }

    /// @dev The part of the struck providers' stakes that the others have yet to get.
    function _forfeitOf(IFederated.Terms memory terms, uint256 enlisted) private view returns (uint256) {
        bytes32 id = federation.jobIdOf(terms);
        uint256 honest = enlisted - slashed[id];
        if (spared[id] == honest) return 0;
        uint256 forfeit = slashed[id] * terms.providerStake;
        return forfeit - spared[id] * (forfeit / honest);
    }

    /// @dev A stake shrinks only by a release after a strike, for a seat by the void of what it signed, and for a
    /// validator of a panel by hiding: each of those can be seen in the job.
    function _checkStakes() private view {
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            uint256 lost = _stakes[providers[i]] - registry.offerOf(providers[i]).stake;
            if (lost == 0) continue;
            assertEq(lost, PROVIDER_STAKE, "a provider's whole stake in a job");
            assertTrue(_wasStruck(providers[i]), "struck");
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            uint256 lost = _stakes[accounts[i]] - registry.offerOf(accounts[i]).stake;
            assertEq(lost % SEAT_STAKE, 0, "whole stakes");
        }
    }

    function _wasStruck(address provider) private view returns (bool) {
        for (uint256 i = 0; i < _jobs.length; ++i) {
            bool over = standingOf(_jobs[i], provider) == Standing.Released;
            if (over && strikers[federation.jobIdOf(_jobs[i])][provider].length != 0) return true;
        }
        return false;
    }

    function _noteStakes() private {
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            _stakes[providers[i]] = registry.offerOf(providers[i]).stake;
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            _stakes[accounts[i]] = registry.offerOf(accounts[i]).stake;
        }
    }
}
