// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../contracts/interfaces/IJob.sol";
import {Mode} from "../../contracts/libraries/Rule.sol";
import {Job} from "./support/JobView.sol";
import {Steps} from "./support/Steps.sol";

/// @notice Invariants 2 and 3 by enumeration: from every situation, with every subset of the parties silent. See
/// exit.tree.
contract ExitTest is Steps {
    enum Situation {
        Posted,
        Accepted,
        Submitted,
        SubmittedOptimistic,
        Claimed,
        ClaimedOneSided,
        Committing,
        Revealing,
        Drawing,
        DrawingSeeded,
        Challenged,
        Validated,
        ValidatedOneSided,
        Rejected,
        Unmet,
        Appealed,
        AppealedSeeded,
        Inconclusive
    }

    /// Most windows, all of one length, from any situation to the end of the job.
    uint256 private constant MAX_WINDOWS = 11;

    /// The parties that still act.
    struct Active {
        bool requester;
        bool provider;
        bool validators;
    }

    function test_FromPosted() public {
        _leaveFrom(Situation.Posted);
    }

    function test_FromAccepted() public {
        _leaveFrom(Situation.Accepted);
    }

    function test_FromSubmitted() public {
        _leaveFrom(Situation.Submitted);
    }

    function test_FromSubmittedOptimistic() public {
        _leaveFrom(Situation.SubmittedOptimistic);
    }

    function test_FromClaimed() public {
        _leaveFrom(Situation.Claimed);
    }

    function test_FromClaimedOneSided() public {
        _leaveFrom(Situation.ClaimedOneSided);
    }

    function test_FromCommitting() public {
        _leaveFrom(Situation.Committing);
    }

    function test_FromRevealing() public {
        _leaveFrom(Situation.Revealing);
    }

    function test_FromDrawing() public {
        _leaveFrom(Situation.Drawing);
    }

    function test_FromDrawingSeeded() public {
        _leaveFrom(Situation.DrawingSeeded);
    }

    function test_FromChallenged() public {
        _leaveFrom(Situation.Challenged);
    }

    function test_FromValidated() public {
        _leaveFrom(Situation.Validated);
    }

    function test_FromValidatedOneSided() public {
        _leaveFrom(Situation.ValidatedOneSided);
    }

    function test_FromRejected() public {
        _leaveFrom(Situation.Rejected);
    }

    function test_FromUnmet() public {
        _leaveFrom(Situation.Unmet);
    }

    function test_FromAppealed() public {
        _leaveFrom(Situation.Appealed);
    }

    function test_FromAppealedSeeded() public {
        _leaveFrom(Situation.AppealedSeeded);
    }

    function test_FromInconclusive() public {
        _leaveFrom(Situation.Inconclusive);
    }

    function _leaveFrom(Situation situation) private {
        for (uint256 mask = 0; mask < 8; ++mask) {
            uint256 snapshot = vm.snapshotState();
            _leave(situation, Active(mask & 1 != 0, mask & 2 != 0, mask & 4 != 0));
            vm.revertToState(snapshot);
        }
    }

    function _leave(Situation situation, Active memory active) private {
        IJob.Terms memory terms = _bring(situation);
        uint256 start = vm.getBlockTimestamp();
        for (uint256 i = 0; i < 60 && !_isFinal(terms); ++i) {
            if (!_act(terms, active)) _letTimePass(terms, active);
        }
        assertTrue(_isFinal(terms), "final");
        assertTrue(vm.getBlockTimestamp() - start <= MAX_WINDOWS * (WINDOW + 1), "in bounded time");
        _checkEnd(situation, terms, active);
    }

    function _bring(Situation situation) private returns (IJob.Terms memory terms) {
        bool optimistic = situation == Situation.SubmittedOptimistic || situation == Situation.Claimed
            || situation == Situation.Challenged;
        terms = termsOf(optimistic ? 0 : 1);
        if (situation == Situation.Posted) reach(terms, State.Posted);
        else if (situation == Situation.Accepted) reach(terms, State.Accepted);
        else if (situation == Situation.Submitted) reach(terms, State.Submitted);
        else if (situation == Situation.SubmittedOptimistic) reach(terms, State.Submitted);
        else if (optimistic) reach(terms, State.Claimed);
        else if (_isOneSided(situation)) reach(terms, State.Submitted);
        else if (situation == Situation.Validated) reach(terms, State.Validated);
        else if (situation == Situation.Inconclusive) reach(terms, State.Inconclusive);
        else if (situation == Situation.Unmet) return _bringUnmet();
        else if (_isRejected(situation)) reach(terms, State.Rejected);
        else reach(terms, State.Validating);

        if (situation == Situation.Revealing) commitAll(terms, honest());
        if (situation == Situation.Drawing || situation == Situation.DrawingSeeded) abstain(terms, validator(0));
        if (situation == Situation.Challenged) challenge(terms);
        if (situation == Situation.Appealed || situation == Situation.AppealedSeeded) appeal(terms);
        if (situation == Situation.DrawingSeeded || situation == Situation.AppealedSeeded) revealSeed(terms);
        if (!_isOneSided(situation)) return terms;
        drawAlone(terms);
        decide(terms, honest());
        if (situation == Situation.ClaimedOneSided) claim(terms);
    }

    function _bringUnmet() private returns (IJob.Terms memory terms) {
        terms = termsOf(1, Mode.Exam, address(0));
        reach(terms, State.Validating);
        decide(terms, short());
    }

    /// @dev Takes a step that an active party has to take; false when there is none.
    function _act(IJob.Terms memory terms, Active memory active) private returns (bool) {
        Job memory job = jobOf(terms);
        bool optimistic = terms.rule.validators() == 0;
        bool appealable = !job.appealed
            && (job.state == State.Rejected && job.disclosed || job.state == State.Inconclusive && !job.challenged);
        if (job.state == State.Validating) {
            return job.toDraw != 0 ? _draw(terms, active, job) : _validate(terms, active, job);
        }
        if (job.state == State.Posted && active.provider) accept(terms);
        else if (job.state == State.Accepted && active.provider) submit(terms);
        else if (job.state == State.Submitted && optimistic && active.provider) claim(terms);
        else if (job.state == State.Submitted && !optimistic && active.requester) appoint(terms);
        else if (job.state == State.Claimed && active.requester) settle(terms, requester);
        else if (job.state == State.Validated && active.provider && !job.challenged) claim(terms);
        else if (appealable && active.provider) appeal(terms);
        else return false;
        return true;
    }

    function _draw(IJob.Terms memory terms, Active memory active, Job memory job) private returns (bool) {
        if (!job.seeded && active.requester) revealSeed(terms);
        else if (job.seeded && active.provider) drawAsProvider(terms);
        else return false;
        return true;
    }

    function _validate(IJob.Terms memory terms, Active memory active, Job memory job) private returns (bool) {
        if (active.validators && job.pending != 0) {
            commitAll(terms, honest());
            return true;
        }
        if (job.pending != 0) return false;
        address[] memory silent = seatedAs(terms, SeatStatus.Committed);
        if (active.validators && silent.length != 0) {
            // A validator knows the provider's measurement only from the provider.
            if (active.provider || job.disclosed) reveal(terms, silent[0], honest());
            else revealAlone(terms, silent[0], honest());
            return true;
        }
        if (!active.provider || job.disclosed) return false;
        disclose(terms);
        return true;
    }

    /// @dev No active party has a step to take: the deadline passes, and a stranger makes the call that anyone may make
    /// then.
    function _letTimePass(IJob.Terms memory terms, Active memory active) private {
        Job memory job = jobOf(terms);
        bool undrawn = job.toDraw != 0 || job.state == State.Submitted && terms.rule.validators() != 0;
        if (undrawn && !job.seeded && active.provider) return drawAlone(terms);
        bool hides = job.state == State.Validating && job.pending == 0 && !job.disclosed && job.revealed != 0;
        if (undrawn && !job.seeded || hides) passGrace(terms);
        else passDeadline(terms);
        bool unpaid = job.state == State.Accepted || job.state == State.Submitted
            || job.state == State.Validated && !job.challenged;
        if (job.state == State.Posted) escrow.cancel(terms);
        else if (unpaid) expire(terms, address(this));
        else if (job.state != State.Validating) settle(terms, address(this));
        else if (job.pending != 0) escrow.dismiss(terms, seatedAs(terms, SeatStatus.Appointed));
        else escrow.conclude(terms);
    }

    function _checkEnd(Situation situation, IJob.Terms memory terms, Active memory active) private view {
        State end = stateOf(terms);
        assertTrue(end == _endOf(situation, active), "the state that the rule asks for");

        uint256 owed = escrow.owed(requester, address(0)) + escrow.owed(address(0), address(0));
        for (uint256 i = 0; i < accounts.length; ++i) {
            owed += escrow.owed(accounts[i], address(0));
            assertEq(registry.offerOf(accounts[i]).lockedStake, 0, "no stake stays locked");
        }
        assertEq(address(escrow).balance, owed, "all money is accounted for");

        bool loses = !active.provider && end == State.Refunded && _losesBySilence(situation, active);
        assertEq(lostBy(provider), loses ? PROVIDER_STAKE : 0, "the provider's stake");
        if (end == State.Settled) assertTrue(escrow.owed(provider, address(0)) >= PRICE, "the provider is paid");
        else if (situation == Situation.Unmet) _checkEffort(active);
        else assertTrue(escrow.owed(requester, address(0)) >= PRICE, "the requester is refunded");
        // No compensation where validators that the requester had named judged.
        uint256 tenth = situation == Situation.Rejected || situation == Situation.Unmet ? 0 : PROVIDER_STAKE / 10;
        if (loses) assertTrue(escrow.owed(requester, address(0)) >= PRICE + tenth, "and compensated");
        uint256 burnt = _checkValidators(terms, situation, active, end) + (loses ? PROVIDER_STAKE - tenth : 0);
        assertEq(registry.burnt(), burnt, "the rest is burnt");
    }

    /// @dev An active provider appeals, so that its bond may have paid for validators that never measured.
    function _checkEffort(Active memory active) private view {
        uint256 effort = uint256(PRICE) * EFFORT / 10_000;
        assertTrue(escrow.owed(requester, address(0)) >= PRICE - effort, "the requester gets the rest");
        if (!active.provider) assertEq(escrow.owed(provider, address(0)), effort, "the provider its effort");
    }

    function _checkValidators(IJob.Terms memory terms, Situation situation, Active memory active, State end)
        private
        view
        returns (uint256 burnt)
    {
        for (uint256 i = 0; i < accounts.length; ++i) {
            SeatStatus seat = seatOf(terms, accounts[i]);
            if (seat == SeatStatus.None) continue;
            bool against = seat == SeatStatus.Failed || seat == SeatStatus.Unmet;
            bool overruled = _isRejected(situation) && against && end == State.Settled;
            bool worked = seat == SeatStatus.Revealed || seat == SeatStatus.Passed || against;
            bool hides = seat == SeatStatus.Committed;
            uint256 loss = hides || overruled ? VALIDATOR_STAKE : 0;
            burnt += loss;
            assertEq(lostBy(accounts[i]), loss, "a validator's stake");
            assertEq(escrow.owed(accounts[i], address(0)), worked && !overruled ? FEE : 0, "a validator's fee");
            bool mayHide = !active.validators || situation == Situation.Inconclusive;
            assertTrue(!hides || mayHide, "active validators do not hide");
        }
    }

    function _endOf(Situation situation, Active memory active) private pure returns (State) {
        if (situation == Situation.Claimed || situation == Situation.ClaimedOneSided) return State.Settled;
        // A claim is undone only by a panel that contradicts it, or by a provider that hides in the challenge.
        if (situation == Situation.Challenged) return active.provider ? State.Settled : State.Refunded;
        if (!active.provider) return situation == Situation.Posted ? State.Cancelled : State.Refunded;
        if (situation == Situation.SubmittedOptimistic || situation == Situation.Validated) return State.Settled;
        if (situation == Situation.ValidatedOneSided) return State.Settled;
        return active.validators ? State.Settled : State.Refunded;
    }

    /// @dev Whether a silent provider failed: not where it had no step to take.
    function _losesBySilence(Situation situation, Active memory active) private pure returns (bool) {
        if (situation == Situation.Inconclusive || situation == Situation.Unmet) return false;
        return situation != Situation.Revealing || active.validators;
    }

    /// @dev The named validator found a good result wrong.
    function _isRejected(Situation situation) private pure returns (bool) {
        return situation == Situation.Rejected || situation == Situation.Appealed
            || situation == Situation.AppealedSeeded || situation == Situation.Unmet;
    }

    /// @dev A validator drawn by the provider's seed alone confirmed the result.
    function _isOneSided(Situation situation) private pure returns (bool) {
        return situation == Situation.ClaimedOneSided || situation == Situation.ValidatedOneSided;
    }

    function _isFinal(IJob.Terms memory terms) private view returns (bool) {
        State state = stateOf(terms);
        return state == State.Settled || state == State.Refunded || state == State.Cancelled;
    }
}
