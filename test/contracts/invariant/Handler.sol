// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../../contracts/interfaces/IJob.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Mode} from "../../../contracts/libraries/Rule.sol";
import {Job} from "../support/JobView.sol";
import {PlainToken} from "../support/Tokens.sol";
import {Ghost} from "./Ghost.sol";

/// @notice The functions that the fuzzer calls: honest parties take the next step of a job, hostile ones make any call
/// on any job, time jumps. The watched invariant is checked after every call that succeeds.
contract Handler is Ghost {
    enum Call {
        Cancel,
        Accept,
        Release,
        Submit,
        Appoint,
        Handover,
        Draw,
        Dismiss,
        Commit,
        Abstain,
        Reveal,
        Disclose,
        Conclude,
        Claim,
        Challenge,
        Appeal,
        Settle,
        Expire,
        RevealAloneOrRate,
        RevealSeed,
        Stop
    }

    uint256 private constant MAX_LIVE = 4;

    /// The number of the invariant that is compared after every call.
    uint256 private _watched;
    /// Rater, job and subject of every score given.
    mapping(bytes32 => bool) private _scored;

    constructor() {
        setUp();
        token = new PlainToken();
        for (uint256 i = 0; i < accounts.length; ++i) {
            deposits[accounts[i]] = STAKE;
            token.mint(accounts[i], 1000 ether);
            vm.prank(accounts[i]);
            token.approve(address(escrow), type(uint256).max);
        }
        notePool();
    }

    /// @notice Chooses the invariant that is compared after every call; before the first of them.
    function watch(uint256 invariant) external {
        _watched = invariant;
    }

    /// @notice An account posts a job to another, with terms of every kind.
    function post(uint256 seed) external {
        if (live.length >= MAX_LIVE) return;
        address currency = _pick(seed, 2, 4) == 0 ? address(token) : address(0);
        IJob.Terms memory terms = termsOf(uint8(_pick(seed, 0, 4)), Mode(_pick(seed, 1, 4)), currency);
        terms.requester = accounts[_pick(seed, 3, accounts.length)];
        terms.provider = accounts[_pick(seed, 4, accounts.length)];
        if (terms.provider == terms.requester) return;
        uint256 sum = terms.price + uint256(terms.rule.validators()) * terms.validatorFee;
        bytes memory data = abi.encodeCall(escrow.post, (terms, tipOf(REQUESTERS_SECRET), "sealed"));
        live.push(jobs.length);
        jobs.push(terms);
        states.push(State.Posted);
        if (_send(terms.requester, terms.token == address(0) ? sum : 0, data)) return;
        live.pop();
        jobs.pop();
        states.pop();
    }

    /// @notice The party whose turn it is takes the honest next step of a job; a stranger takes a step that is overdue.
    function step(uint256 seed) external {
        if (live.length == 0) return;
        IJob.Terms memory terms = jobs[live[_pick(seed, 0, live.length)]];
        Job memory job = jobOf(terms);
        State state = job.state;
        bool unappointed = state == State.Submitted && terms.rule.validators() != 0;
        bool undrawn = state == State.Validating ? job.toDraw != 0 : unappointed;
        bool over = vm.getBlockTimestamp() > job.deadline;
        // The provider never makes one draw in eight, even when its turn has come.
        if (undrawn && (over || job.seeded) && _pick(seed, 1, 8) != 0) _do(terms.provider, terms, Call.Draw, seed);
        else if (over) _leaveOneStep(terms, accounts[0], seed);
        else if (state == State.Posted) _do(terms.provider, terms, Call.Accept, seed);
        else if (state == State.Accepted) _do(terms.provider, terms, Call.Submit, seed);
        else if (state == State.Submitted && terms.rule.validators() == 0) _do(terms.provider, terms, Call.Claim, seed);
        else if (state == State.Submitted) _do(terms.requester, terms, Call.Appoint, seed);
        else if (state == State.Claimed && _pick(seed, 1, 3) != 0) _do(terms.requester, terms, Call.Challenge, seed);
        else if (state == State.Claimed) _do(terms.requester, terms, Call.Settle, seed);
        else if (state == State.Validated) _do(terms.provider, terms, Call.Claim, seed);
        else if (state == State.Validating) _validate(terms, seed);
        else if (job.challenged && state == State.Inconclusive) _do(accounts[0], terms, Call.Settle, seed);
        else if (_pick(seed, 1, 4) == 0) _do(accounts[0], terms, Call.Settle, seed);
        else _do(terms.provider, terms, Call.Appeal, seed);
    }

    /// @notice Any account makes any call on any job, final ones included.
    function callAnything(uint256 seed) external {
        if (jobs.length == 0) return;
        bool any = _pick(seed, 0, 4) == 0 || live.length == 0;
        uint256 index = any ? _pick(seed, 1, jobs.length) : live[_pick(seed, 1, live.length)];
        IJob.Terms memory terms = jobs[index];
        uint256 who = _pick(seed, 2, 4);
        address caller = accounts[_pick(seed, 3, accounts.length)];
        if (who == 0) caller = terms.requester;
        else if (who == 1) caller = terms.provider;
        _do(caller, terms, Call(_pick(seed, 4, 21)), seed);
    }

    /// @notice Time passes, from a minute to a window; the block number takes any value.
    function passTime(uint256 seed) external {
        uint256[4] memory spans = [uint256(1 minutes), WINDOW / 4, WINDOW / 2, WINDOW + 1];
        vm.warp(vm.getBlockTimestamp() + spans[_pick(seed, 0, 4)]);
        vm.roll(_pick(seed, 1, 100_000));
    }

    /// @notice The parties of a job score one another.
    function score(uint256 seed) external {
        if (jobs.length == 0) return;
        IJob.Terms memory terms = jobs[_pick(seed, 0, jobs.length)];
        address[3] memory parties = [terms.requester, terms.provider, accounts[_pick(seed, 1, accounts.length)]];
        address rater = parties[_pick(seed, 2, 3)];
        address subject = parties[_pick(seed, 3, 3)];
        bytes memory data = abi.encodeCall(escrow.rate, (terms, subject, uint8(_pick(seed, 4, 7))));
        _send(rater, 0, data);
    }

    /// @notice An account withdraws money, or moves its stake.
    function moveMoney(uint256 seed) external {
        address who = accounts[_pick(seed, 0, accounts.length)];
        uint256 what = _pick(seed, 1, 8);
        uint96 amount = uint96(_pick(seed, 2, 2 ether));
        bool pooled = registry.offerOf(who).pooled;
        uint96 free = _freeOf(who);
        vm.prank(who);
        if (what == 0) _takeOwed(who, address(0));
        else if (what == 1) _takeOwed(who, address(token));
        else if (what == 2) try registry.requestWithdrawal(who, amount) {} catch {}
        else if (what == 3) _takeStake(who);
        else if (what < 7 && pooled) try registry.requestWithdrawal(who, free) {} catch {}
        else {
            // An account that had left the pool comes back.
            registry.deposit{value: amount}(who);
            deposits[who] += amount;
        }
        if (_watched == 8) notePool();
        _checkAll();
    }

    /// @notice Invariant 2: one party alone can bring any job to its end as time passes.
    function finishAlone(uint256 seed) external {
        if (live.length == 0 || _pick(seed, 0, 3) != 0) return;
        IJob.Terms memory terms = jobs[live[_pick(seed, 1, live.length)]];
        address alone = _pick(seed, 2, 2) == 0 ? terms.requester : terms.provider;
        uint256 start = vm.getBlockTimestamp();
        for (uint256 i = 0; i < 24 && !_isFinal(stateOf(terms)); ++i) {
            _leaveOneStep(terms, alone, seed);
        }
        if (!_isFinal(stateOf(terms))) breaks(2, "one party alone could not end the job");
        bool late = vm.getBlockTimestamp() - start > 12 * uint256(WINDOW);
        if (late) breaks(2, "one party alone took too long to end the job");
    }

    function _leaveOneStep(IJob.Terms memory terms, address alone, uint256 seed) private {
        Job memory job = jobOf(terms);
        State state = job.state;
        bool validated = terms.rule.validators() != 0;
        bool undrawn = state == State.Validating ? job.toDraw != 0 : state == State.Submitted && validated;
        // The provider draws after the requester's window, and may disclose for one window longer.
        bool hides = state == State.Validating && job.pending == 0 && !job.disclosed && job.revealed != 0;
        uint256 until = job.deadline;
        if (undrawn && !job.seeded || hides) until += WINDOW;
        if (undrawn && alone == terms.provider && vm.getBlockTimestamp() <= until) {
            if (!job.seeded && vm.getBlockTimestamp() <= job.deadline) vm.warp(job.deadline + 1);
            return _do(alone, terms, Call.Draw, seed);
        }
        if (vm.getBlockTimestamp() <= until) vm.warp(until + 1);
        if (state == State.Posted) _do(alone, terms, Call.Cancel, seed);
        else if (state == State.Validating) _do(alone, terms, job.pending != 0 ? Call.Dismiss : Call.Conclude, seed);
        else if (state == State.Accepted || state == State.Submitted) _do(alone, terms, Call.Expire, seed);
        else if (state == State.Validated && !job.challenged) _do(alone, terms, Call.Expire, seed);
        else _do(alone, terms, Call.Settle, seed);
    }

    function _validate(IJob.Terms memory terms, uint256 seed) private {
        Job memory job = jobOf(terms);
        if (job.toDraw != 0) return _do(terms.requester, terms, Call.RevealSeed, seed);
        address[] memory seated = seatedAs(terms, job.pending != 0 ? SeatStatus.Appointed : SeatStatus.Committed);
        if (seated.length == 0) return _do(terms.provider, terms, Call.Disclose, seed);
        address who = seated[_pick(seed, 5, seated.length)];
        if (job.pending != 0) _do(who, terms, _pick(seed, 6, 6) == 0 ? Call.Abstain : Call.Commit, seed);
        else _do(who, terms, _pick(seed, 6, 4) == 0 ? Call.RevealAloneOrRate : Call.Reveal, seed);
    }

    /// @dev Makes a call of the escrow by `who`, with the bond that it asks for.
    function _do(address who, IJob.Terms memory terms, Call call, uint256 seed) private {
        bytes memory data = _dataOf(who, terms, call, seed);
        uint256 bond = 0;
        if (call == Call.Challenge) bond = escrow.challengeBondOf(terms);
        else if (call == Call.Appeal) bond = escrow.appealBondOf(terms);
        if (terms.token != address(0)) bond = 0;
        _send(who, bond, data);
    }

    function _dataOf(address who, IJob.Terms memory terms, Call call, uint256 seed)
        private
        view
        returns (bytes memory)
    {
        IJob.Measurement memory own = _findingOf(terms, who);
        if (call == Call.Cancel) return abi.encodeCall(escrow.cancel, (terms));
        if (call == Call.Accept) return abi.encodeCall(escrow.accept, (terms));
        if (call == Call.Release) return abi.encodeCall(escrow.release, (terms, "no", "log"));
        if (call == Call.Submit) {
            bytes32 commitment = commitmentOf(terms, terms.provider, honest());
            bytes32 tip = tipOf(PROVIDERS_SECRET);
            bytes32 key = keyCommitmentOf(terms);
            return abi.encodeCall(escrow.submit, (terms, "root", commitment, key, tip, "sealed"));
        }
        if (call == Call.Appoint) return abi.encodeCall(escrow.appoint, (terms, _appointmentsFrom(terms, seed)));
        if (call == Call.Handover) {
            address seated = accounts[_pick(seed, 7, accounts.length)];
            return abi.encodeCall(escrow.handover, (terms, seated, "sealed"));
        }
        if (call == Call.Draw) return drawData(terms);
        if (call == Call.Dismiss) {
            return abi.encodeCall(escrow.dismiss, (terms, seatedAs(terms, SeatStatus.Appointed)));
        }
        if (call == Call.Commit) return abi.encodeCall(escrow.commit, (terms, commitmentOf(terms, who, own)));
        if (call == Call.Abstain) return abi.encodeCall(escrow.abstain, (terms, "cannot"));
        if (call == Call.Reveal) return abi.encodeCall(escrow.reveal, (terms, own, honest(), secretsOf(terms)));
        if (call == Call.Disclose) return abi.encodeCall(escrow.disclose, (terms, honest(), secretsOf(terms)));
        if (call == Call.Conclude) return abi.encodeCall(escrow.conclude, (terms));
        if (call == Call.Claim) return claimData(terms);
        if (call == Call.Challenge) return challengeData(terms);
        if (call == Call.Appeal) return abi.encodeCall(escrow.appeal, (terms));
        if (call == Call.Settle) return abi.encodeCall(escrow.settle, (terms, panelOf(terms)));
        if (call == Call.Expire) return abi.encodeCall(escrow.expire, (terms, panelOf(terms)));
        if (call == Call.RevealSeed) return revealSeedData(terms);
        if (call == Call.Stop) return abi.encodeCall(escrow.stop, (terms));
        if (_pick(seed, 8, 2) == 0) return abi.encodeCall(escrow.revealAlone, (terms, own));
        address subject = accounts[_pick(seed, 9, accounts.length)];
        return abi.encodeCall(escrow.rate, (terms, subject, uint8(_pick(seed, 10, 7))));
    }

    /// @dev The measurement of an account in a job, the same at every call. All find one job in three wrong, some only
    /// short; in the others one account in four errs, so that there are disputes of disputes.
    function _findingOf(IJob.Terms memory terms, address who)
        private
        view
        returns (IJob.Measurement memory)
    {
        bytes32 id = escrow.jobIdOf(terms);
        if (who == terms.provider) return honest();
        uint256 errs = uint256(keccak256(abi.encode(id, who)));
        if (uint256(id) % 3 == 0 || errs % 4 == 0) return errs % 3 == 0 ? short() : wrong();
        // In an exam the work of one job in three is short.
        return uint256(id) % 3 == 1 && terms.rule.mode() == Mode.Exam ? short() : honest();
    }

    function _appointmentsFrom(IJob.Terms memory terms, uint256 seed)
        private
        view
        returns (IJob.Appointment[] memory list)
    {
        list = new IJob.Appointment[](terms.rule.validators());
        uint256 first = _pick(seed, 11, accounts.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = IJob.Appointment(accounts[(first + i) % accounts.length], "sealed");
        }
    }

    function _send(address who, uint256 value, bytes memory data) private returns (bool done) {
        uint256 gas = gasleft();
        vm.prank(who);
        (done,) = address(escrow).call{value: value}(data);
        gas -= gasleft();
        if (!done) return false;
        if (gas > GAS_BOUND) breaks(6, "a call takes more gas than the bound");
        bytes4 name = bytes4(data);
        if (name == escrow.rate.selector) _noteScore(who, data);
        observe(name);
        if (_watched == 8) notePool();
        _checkAll();
    }

    function _freeOf(address who) private view returns (uint96) {
        IProviderRegistry.Offer memory offer = registry.offerOf(who);
        return offer.stake - offer.lockedStake;
    }

    function _takeOwed(address who, address currency) private {
        try escrow.withdraw(who, currency) returns (uint256 amount) {
            due[who][currency] -= amount;
        } catch {}
    }

    function _takeStake(address who) private {
        (uint256 leaving,) = registry.leaving(who);
        try registry.withdrawStake(who) returns (uint256 amount) {
            deposits[who] -= amount;
            assertEq(amount, leaving, "the amount that was leaving");
        } catch {}
    }

    /// @dev Identifies rater, subject and job by all of the call but its last word, which is the score.
    function _noteScore(address rater, bytes memory data) private {
        ++scores;
        assembly ("memory-safe") {
            mstore(data, sub(mload(data), 32))
        }
        bytes32 subject = keccak256(abi.encode(rater, data));
        if (_scored[subject]) breaks(5, "5: scored twice");
        _scored[subject] = true;
    }

    /// @dev Called after every call that succeeds; a revert here fails the run.
    function _checkAll() private view {
        if (_watched == 1) checkMoney();
        else if (_watched == 3) checkDues();
        else if (_watched == 5) checkRatings();
        else if (_watched == 7) checkStakes();
    }

    /// @dev The `n`-th number derived from `seed`, below `bound`.
    function _pick(uint256 seed, uint256 n, uint256 bound) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, n))) % bound;
    }
}
