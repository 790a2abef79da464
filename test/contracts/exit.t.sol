// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {Job} from "./support/JobView.sol";
import {Steps} from "./support/Steps.sol";

/// @notice Invariants 2 and 3, by enumeration: every situation, every subset of the parties silent for ever.
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
        Appealed,
        AppealedSeeded,
        Inconclusive
    }

    /// From any situation to the end, in windows of one length.
    uint256 private constant MAX_WINDOWS = 11;

    /// Who still acts.
    struct Awake {
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
            _leave(situation, Awake(mask & 1 != 0, mask & 2 != 0, mask & 4 != 0));
            vm.revertToState(snapshot);
        }
    }

    function _leave(Situation situation, Awake memory awake) private {
        IJobEscrow.Terms memory terms = _bring(situation);
        uint256 start = vm.getBlockTimestamp();
        for (uint256 i = 0; i < 60 && !_isFinal(terms); ++i) {
            if (!_act(terms, awake)) _letTimePass(terms, awake);
        }
        yes(_isFinal(terms), "final");
        yes(vm.getBlockTimestamp() - start <= MAX_WINDOWS * (WINDOW + 1), "in bounded time");
        _checkEnd(situation, terms, awake);
    }

    function _bring(Situation situation) private returns (IJobEscrow.Terms memory terms) {
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

    /// @dev Whoever is awake and has a step to take takes it.
    function _act(IJobEscrow.Terms memory terms, Awake memory awake) private returns (bool) {
        Job memory job = jobOf(terms);
        bool optimistic = terms.rule.validators() == 0;
        bool appealable = !job.appealed
            && (job.state == State.Rejected && job.disclosed || job.state == State.Inconclusive && !job.challenged);
        if (job.state == State.Validating) {
            return job.toDraw != 0 ? _draw(terms, awake, job) : _validate(terms, awake, job);
        }
        if (job.state == State.Posted && awake.provider) accept(terms);
        else if (job.state == State.Accepted && awake.provider) submit(terms);
        else if (job.state == State.Submitted && optimistic && awake.provider) claim(terms);
        else if (job.state == State.Submitted && !optimistic && awake.requester) appoint(terms);
        else if (job.state == State.Claimed && awake.requester) settle(terms, requester);
        else if (job.state == State.Validated && awake.provider && !job.challenged) claim(terms);
        else if (appealable && awake.provider) appeal(terms);
        else return false;
        return true;
    }

    function _draw(IJobEscrow.Terms memory terms, Awake memory awake, Job memory job) private returns (bool) {
        if (!job.seeded && awake.requester) revealSeed(terms);
        else if (job.seeded && awake.provider) drawAsProvider(terms);
        else return false;
        return true;
    }

    function _validate(IJobEscrow.Terms memory terms, Awake memory awake, Job memory job) private returns (bool) {
        if (awake.validators && job.pending != 0) {
            commitAll(terms, honest());
            return true;
        }
        if (job.pending != 0) return false;
        address[] memory silent = seatedAs(terms, SeatStatus.Committed);
        if (awake.validators && silent.length != 0) {
            // The provider's measurement is known only from the provider.
            if (awake.provider || job.disclosed) reveal(terms, silent[0], honest());
            else revealAlone(terms, silent[0], honest());
            return true;
        }
        if (!awake.provider || job.disclosed) return false;
        disclose(terms);
        return true;
    }

    /// @dev Nobody awake has anything to do: the deadline passes, and with it a turn, or a stranger makes the call
    /// that anyone may.
    function _letTimePass(IJobEscrow.Terms memory terms, Awake memory awake) private {
        Job memory job = jobOf(terms);
        bool undrawn = job.toDraw != 0 || job.state == State.Submitted && terms.rule.validators() != 0;
        if (undrawn && !job.seeded && awake.provider) return drawAlone(terms);
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

    function _checkEnd(Situation situation, IJobEscrow.Terms memory terms, Awake memory awake) private view {
        State end = stateOf(terms);
        yes(end == _endOf(situation, awake), "the end that the rule says");

        uint256 owed = escrow.owed(requester, address(0)) + escrow.owed(address(0), address(0));
        for (uint256 i = 0; i < crowd.length; ++i) {
            owed += escrow.owed(crowd[i], address(0));
            eq(registry.offerOf(crowd[i]).lockedStake, 0, "no stake stays locked");
        }
        eq(address(escrow).balance, owed, "all money is accounted for");

        bool loses = !awake.provider && end == State.Refunded && _losesBySilence(situation, awake);
        eq(lostBy(provider), loses ? PROVIDER_STAKE : 0, "the provider's stake");
        if (end == State.Settled) yes(escrow.owed(provider, address(0)) >= PRICE, "the provider is paid");
        else yes(escrow.owed(requester, address(0)) >= PRICE, "the requester is refunded");
        // A tenth, unless validators that it had named are the ones who judged.
        uint256 tenth = situation == Situation.Rejected ? 0 : PROVIDER_STAKE / 10;
        if (loses) yes(escrow.owed(requester, address(0)) >= PRICE + tenth, "and compensated");
        uint256 burnt = _checkValidators(terms, situation, awake, end) + (loses ? PROVIDER_STAKE - tenth : 0);
        eq(registry.burnt(), burnt, "the rest is nobody's");
    }

    function _checkValidators(IJobEscrow.Terms memory terms, Situation situation, Awake memory awake, State end)
        private
        view
        returns (uint256 burnt)
    {
        for (uint256 i = 0; i < crowd.length; ++i) {
            SeatStatus seat = seatOf(terms, crowd[i]);
            if (seat == SeatStatus.None) continue;
            bool overruled = _isRejected(situation) && seat == SeatStatus.Failed && end == State.Settled;
            bool worked = seat == SeatStatus.Revealed || seat == SeatStatus.Passed || seat == SeatStatus.Failed;
            bool hides = seat == SeatStatus.Committed;
            uint256 loss = hides || overruled ? VALIDATOR_STAKE : 0;
            burnt += loss;
            eq(lostBy(crowd[i]), loss, "a validator's stake");
            eq(escrow.owed(crowd[i], address(0)), worked && !overruled ? FEE : 0, "a validator's fee");
            if (awake.validators && situation != Situation.Inconclusive) yes(!hides, "who acts does not hide");
        }
    }

    function _endOf(Situation situation, Awake memory awake) private pure returns (State) {
        if (situation == Situation.Claimed || situation == Situation.ClaimedOneSided) return State.Settled;
        // Once claimed, only a panel that contradicts, or a provider that does not answer, undoes the claim.
        if (situation == Situation.Challenged) return awake.provider ? State.Settled : State.Refunded;
        if (!awake.provider) return situation == Situation.Posted ? State.Cancelled : State.Refunded;
        if (situation == Situation.SubmittedOptimistic || situation == Situation.Validated) return State.Settled;
        if (situation == Situation.ValidatedOneSided) return State.Settled;
        return awake.validators ? State.Settled : State.Refunded;
    }

    /// @dev Whether a silent provider is the one who failed: not where its turn never came.
    function _losesBySilence(Situation situation, Awake memory awake) private pure returns (bool) {
        if (situation == Situation.Inconclusive) return false;
        return situation != Situation.Revealing || awake.validators;
    }

    /// @dev The validator named found a good result wrong.
    function _isRejected(Situation situation) private pure returns (bool) {
        return situation == Situation.Rejected || situation == Situation.Appealed
            || situation == Situation.AppealedSeeded;
    }

    /// @dev A validator drawn by the provider alone confirmed it.
    function _isOneSided(Situation situation) private pure returns (bool) {
        return situation == Situation.ClaimedOneSided || situation == Situation.ValidatedOneSided;
    }

    function _isFinal(IJobEscrow.Terms memory terms) private view returns (bool) {
        State state = stateOf(terms);
        return state == State.Settled || state == State.Refunded || state == State.Cancelled;
    }
}
