// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Mode} from "../../../contracts/libraries/Rule.sol";
import {Job} from "../support/JobView.sol";
import {PlainToken} from "../support/Tokens.sol";
import {Ghost} from "./Ghost.sol";

/// @notice What the fuzzer calls: honest parties that take the next step, hostile ones that call anything on
/// anything, time that jumps. Whatever reverts changes nothing; whatever goes through is looked at.
contract Handler is Ghost {
    uint256 private constant MAX_LIVE = 4;

    /// The number of the invariant that is compared after every call.
    uint256 private _watched;
    /// Rater, job and subject of every score given.
    mapping(bytes32 => bool) private _scored;

    constructor() {
        setUp();
        token = new PlainToken();
        for (uint256 i = 0; i < crowd.length; ++i) {
            deposits[crowd[i]] = STAKE;
            token.mint(crowd[i], 1000 ether);
            vm.prank(crowd[i]);
            token.approve(address(escrow), type(uint256).max);
        }
        notePool();
    }

    /// @notice Chooses the invariant that is compared after every call; before the first of them.
    function watch(uint256 invariant) external {
        _watched = invariant;
    }

    /// @notice Somebody posts a job to somebody, with terms of every kind.
    function post(uint256 seed) external {
        if (live.length >= MAX_LIVE) return;
        IJobEscrow.Terms memory terms =
            termsOf(uint8(_pick(seed, 0, 4)), Mode(_pick(seed, 1, 3)), _pick(seed, 2, 4) == 0 ? address(token) : address(0));
        terms.requester = crowd[_pick(seed, 3, crowd.length)];
        terms.provider = crowd[_pick(seed, 4, crowd.length)];
        if (terms.provider == terms.requester) return;
        uint256 sum = terms.price + uint256(terms.rule.validators()) * terms.validatorFee;
        bytes memory data = abi.encodeCall(IJobEscrow.post, (terms, tipOf(REQUESTERS_SECRET), "sealed"));
        live.push(jobs.length);
        jobs.push(terms);
        states.push(State.Posted);
        if (_send(terms.requester, terms.token == address(0) ? sum : 0, data)) return;
        live.pop();
        jobs.pop();
        states.pop();
    }

    /// @notice The party whose turn it is takes the honest next step of a job, or a stranger the one overdue.
    function step(uint256 seed) external {
        if (live.length == 0) return;
        IJobEscrow.Terms memory terms = jobs[live[_pick(seed, 0, live.length)]];
        Job memory job = jobOf(terms);
        State state = job.state;
        bool undrawn = state == State.Validating ? job.toDraw != 0 : state == State.Submitted && terms.rule.validators() != 0;
        bool over = vm.getBlockTimestamp() > job.deadline;
        // One draw in eight is left for ever by the provider, too.
        if (undrawn && (over || job.seeded) && _pick(seed, 1, 8) != 0) _do(terms.provider, terms, 6, seed);
        else if (over) _leaveOneStep(terms, crowd[0], seed);
        else if (state == State.Posted) _do(terms.provider, terms, 1, seed);
        else if (state == State.Accepted) _do(terms.provider, terms, 3, seed);
        else if (state == State.Submitted && terms.rule.validators() == 0) _do(terms.provider, terms, 13, seed);
        else if (state == State.Submitted) _do(terms.requester, terms, 4, seed);
        else if (state == State.Claimed) _do(terms.requester, terms, _pick(seed, 1, 3) == 0 ? 16 : 14, seed);
        else if (state == State.Validated) _do(terms.provider, terms, 13, seed);
        else if (state == State.Validating) _validate(terms, seed);
        else if (_pick(seed, 1, 4) == 0 || job.challenged && state == State.Inconclusive) _do(crowd[0], terms, 16, seed);
        else _do(terms.provider, terms, 15, seed);
    }

    /// @notice Anybody calls anything on any job, final ones included.
    function meddle(uint256 seed) external {
        if (jobs.length == 0) return;
        bool any = _pick(seed, 0, 4) == 0 || live.length == 0;
        uint256 index = any ? _pick(seed, 1, jobs.length) : live[_pick(seed, 1, live.length)];
        IJobEscrow.Terms memory terms = jobs[index];
        uint256 who = _pick(seed, 2, 4);
        address caller = who == 0 ? terms.requester : who == 1 ? terms.provider : crowd[_pick(seed, 3, crowd.length)];
        _do(caller, terms, _pick(seed, 4, 20), seed);
    }

    /// @notice Time passes: a moment or about a window, whatever the block's number does meanwhile.
    function wait(uint256 seed) external {
        uint256[4] memory spans = [uint256(1 minutes), WINDOW / 4, WINDOW / 2, WINDOW + 1];
        vm.warp(vm.getBlockTimestamp() + spans[_pick(seed, 0, 4)]);
        vm.roll(_pick(seed, 1, 100_000));
    }

    /// @notice The parties of a job, final ones above all, score one another.
    function score(uint256 seed) external {
        if (jobs.length == 0) return;
        IJobEscrow.Terms memory terms = jobs[_pick(seed, 0, jobs.length)];
        address[3] memory parties = [terms.requester, terms.provider, crowd[_pick(seed, 1, crowd.length)]];
        address rater = parties[_pick(seed, 2, 3)];
        bytes memory data = abi.encodeCall(IJobEscrow.rate, (terms, parties[_pick(seed, 3, 3)], uint8(_pick(seed, 4, 7))));
        _send(rater, 0, data);
    }

    /// @notice Somebody takes out money, or moves its stake.
    function bank(uint256 seed) external {
        address who = crowd[_pick(seed, 0, crowd.length)];
        uint256 what = _pick(seed, 1, 8);
        uint96 amount = uint96(_pick(seed, 2, 2 ether));
        bool pooled = registry.offerOf(who).pooled;
        uint96 free = _freeOf(who);
        vm.prank(who);
        if (what == 0) _takeOwed(who, address(0));
        else if (what == 1) _takeOwed(who, address(token));
        else if (what == 2) try registry.requestWithdrawal(amount) {} catch {}
        else if (what == 3) _takeStake(who);
        else if (what < 7 && pooled) try registry.requestWithdrawal(free) {} catch {}
        else {
            // One that had left the pool comes back.
            registry.deposit{value: amount}();
            deposits[who] += amount;
        }
        if (_watched == 8) notePool();
        _checkAll();
    }

    /// @notice Invariant 2: one party alone, and time, bring any job to its end.
    function escape(uint256 seed) external {
        if (live.length == 0 || _pick(seed, 0, 3) != 0) return;
        IJobEscrow.Terms memory terms = jobs[live[_pick(seed, 1, live.length)]];
        address alone = _pick(seed, 2, 2) == 0 ? terms.requester : terms.provider;
        uint256 start = vm.getBlockTimestamp();
        for (uint256 i = 0; i < 24 && !_isFinal(stateOf(terms)); ++i) {
            _leaveOneStep(terms, alone, seed);
        }
        if (!_isFinal(stateOf(terms))) breaks(2, "no way out");
        if (vm.getBlockTimestamp() - start > 12 * uint256(WINDOW)) breaks(2, "too long a way out");
    }

    function _leaveOneStep(IJobEscrow.Terms memory terms, address alone, uint256 seed) private {
        Job memory job = jobOf(terms);
        State state = job.state;
        bool validated = terms.rule.validators() != 0;
        bool undrawn = state == State.Validating ? job.toDraw != 0 : state == State.Submitted && validated;
        // Its turn comes after the requester's; and it may show its measurement for a window longer.
        bool hides = state == State.Validating && job.pending == 0 && !job.disclosed && job.revealed != 0;
        uint256 until = job.deadline;
        if (undrawn && !job.seeded || hides) until += WINDOW;
        if (undrawn && alone == terms.provider && vm.getBlockTimestamp() <= until) {
            if (!job.seeded && vm.getBlockTimestamp() <= job.deadline) vm.warp(job.deadline + 1);
            return _do(alone, terms, 6, seed);
        }
        if (vm.getBlockTimestamp() <= until) vm.warp(until + 1);
        if (state == State.Posted) _do(alone, terms, 0, seed);
        else if (state == State.Validating) _do(alone, terms, job.pending != 0 ? 7 : 12, seed);
        else if (state == State.Accepted || state == State.Submitted) _do(alone, terms, 17, seed);
        else if (state == State.Validated && !job.challenged) _do(alone, terms, 17, seed);
        else _do(alone, terms, 16, seed);
    }

    function _validate(IJobEscrow.Terms memory terms, uint256 seed) private {
        Job memory job = jobOf(terms);
        if (job.toDraw != 0) return _do(terms.requester, terms, 19, seed);
        address[] memory seated = seatedAs(terms, job.pending != 0 ? SeatStatus.Appointed : SeatStatus.Committed);
        if (seated.length == 0) return _do(terms.provider, terms, 11, seed);
        address who = seated[_pick(seed, 5, seated.length)];
        if (job.pending != 0) _do(who, terms, _pick(seed, 6, 6) == 0 ? 9 : 8, seed);
        else _do(who, terms, _pick(seed, 6, 4) == 0 ? 18 : 10, seed);
    }

    /// @dev Call number `call` of the escrow, by `who`.
    function _do(address who, IJobEscrow.Terms memory terms, uint256 call, uint256 seed) private {
        bytes memory data = _dataOf(who, terms, call, seed);
        uint256 bond = call == 14 ? escrow.challengeBondOf(terms) : call == 15 ? escrow.appealBondOf(terms) : 0;
        if (terms.token != address(0)) bond = 0;
        _send(who, bond, data);
    }

    function _dataOf(address who, IJobEscrow.Terms memory terms, uint256 call, uint256 seed)
        private
        view
        returns (bytes memory)
    {
        IJobEscrow.Measurement memory own = _findingOf(terms, who);
        if (call == 0) return abi.encodeCall(IJobEscrow.cancel, (terms));
        if (call == 1) return abi.encodeCall(IJobEscrow.accept, (terms));
        if (call == 2) return abi.encodeCall(IJobEscrow.release, (terms, "no"));
        if (call == 3) {
            bytes32 commitment = commitmentOf(terms, terms.provider, honest());
            bytes32 tip = tipOf(PROVIDERS_SECRET);
            return abi.encodeCall(IJobEscrow.submit, (terms, "root", commitment, keyCommitmentOf(terms), tip, "sealed"));
        }
        if (call == 4) return abi.encodeCall(IJobEscrow.appoint, (terms, _somebody(terms, seed)));
        if (call == 5) return abi.encodeCall(IJobEscrow.handover, (terms, crowd[_pick(seed, 7, crowd.length)], "sealed"));
        if (call == 6) return drawData(terms);
        if (call == 7) return abi.encodeCall(IJobEscrow.dismiss, (terms, seatedAs(terms, SeatStatus.Appointed)));
        if (call == 8) return abi.encodeCall(IJobEscrow.commit, (terms, commitmentOf(terms, who, own)));
        if (call == 9) return abi.encodeCall(IJobEscrow.abstain, (terms, "cannot"));
        if (call == 10) return abi.encodeCall(IJobEscrow.reveal, (terms, own, honest(), secretsOf(terms)));
        if (call == 11) return abi.encodeCall(IJobEscrow.disclose, (terms, honest(), secretsOf(terms)));
        if (call == 12) return abi.encodeCall(IJobEscrow.conclude, (terms));
        if (call == 13) return claimData(terms);
        if (call == 14) return challengeData(terms);
        if (call == 15) return abi.encodeCall(IJobEscrow.appeal, (terms));
        if (call == 16) return abi.encodeCall(IJobEscrow.settle, (terms, panelOf(terms)));
        if (call == 17) return abi.encodeCall(IJobEscrow.expire, (terms, panelOf(terms)));
        if (call == 19) return revealSeedData(terms);
        return _pick(seed, 8, 2) == 0
            ? abi.encodeCall(IJobEscrow.revealAlone, (terms, own))
            : abi.encodeCall(IJobEscrow.rate, (terms, crowd[_pick(seed, 9, crowd.length)], uint8(_pick(seed, 10, 7))));
    }

    /// @dev Every account finds in a job what it always finds there. One job in three is wrong, as all see; in
    /// the others one account in four errs. So disputes of disputes come about.
    function _findingOf(IJobEscrow.Terms memory terms, address who)
        private
        view
        returns (IJobEscrow.Measurement memory)
    {
        bytes32 id = escrow.jobIdOf(terms);
        if (who == terms.provider) return honest();
        return uint256(id) % 3 == 0 || uint256(keccak256(abi.encode(id, who))) % 4 == 0 ? wrong() : honest();
    }

    function _somebody(IJobEscrow.Terms memory terms, uint256 seed)
        private
        view
        returns (IJobEscrow.Appointment[] memory list)
    {
        list = new IJobEscrow.Appointment[](terms.rule.validators());
        uint256 first = _pick(seed, 11, crowd.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = IJobEscrow.Appointment(crowd[(first + i) % crowd.length], "sealed");
        }
    }

    function _send(address who, uint256 value, bytes memory data) private returns (bool done) {
        uint256 gas = gasleft();
        vm.prank(who);
        (done,) = address(escrow).call{value: value}(data);
        gas -= gasleft();
        if (!done) return false;
        if (gas > GAS_BOUND) breaks(6, "a call without bound");
        bytes4 name = bytes4(data);
        if (name == IJobEscrow.rate.selector) _noteScore(who, data);
        observe(name);
        if (_watched == 8) notePool();
        _checkAll();
    }

    function _freeOf(address who) private view returns (uint96) {
        IProviderRegistry.Offer memory offer = registry.offerOf(who);
        return offer.stake - offer.lockedStake;
    }

    function _takeOwed(address who, address currency) private {
        try escrow.withdraw(currency) returns (uint256 amount) {
            due[who][currency] -= amount;
        } catch {}
    }

    function _takeStake(address who) private {
        (uint256 leaving,) = registry.leaving(who);
        try registry.withdrawStake() returns (uint256 amount) {
            deposits[who] -= amount;
            eq(amount, leaving, "what was leaving");
        } catch {}
    }

    /// @dev Who rates whom in which job is all of the call but its last word, the score.
    function _noteScore(address rater, bytes memory data) private {
        ++scores;
        assembly ("memory-safe") {
            mstore(data, sub(mload(data), 32))
        }
        bytes32 subject = keccak256(abi.encode(rater, data));
        if (_scored[subject]) breaks(5, "5: scored twice");
        _scored[subject] = true;
    }

    /// @dev After every call that went through; a revert here fails the run.
    function _checkAll() private view {
        if (_watched == 1) checkMoney();
        else if (_watched == 3) checkDues();
        else if (_watched == 5) checkRatings();
        else if (_watched == 7) checkStakes();
    }

    /// @dev The `n`-th small number that `seed` stands for, below `bound`.
    function _pick(uint256 seed, uint256 n, uint256 bound) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, n))) % bound;
    }
}
