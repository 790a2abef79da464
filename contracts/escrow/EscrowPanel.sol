// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Cause, Round, SeatStatus, State, Verdict} from "../interfaces/IJob.sol";
import {Outcome, Role} from "../interfaces/IProviderRating.sol";
import {Judgement, Vote} from "../libraries/Judgement.sol";
import {
    APPEALED,
    CHALLENGED,
    DISCLOSED,
    DRAWS,
    FAILS,
    NAMED,
    OCCUPIED,
    PASSES,
    PENDING,
    REPLACED,
    REVEALED,
    Record,
    SEATS,
    SEEDED,
    TO_DRAW,
    UNMET,
    VACANT
} from "../libraries/Record.sol";
import {Rule, WHOLE} from "../libraries/Rule.sol";
import {EscrowStorage} from "./EscrowStorage.sol";

/// @notice Steps that several calls of a job share: seats, draws, votes and verdicts, and the payouts at the end.
/// @dev Functions that take a {Record} change the copy and return it; the caller saves it.
abstract contract EscrowPanel is EscrowStorage {
    /// Members of the pool that a draw looks at for one seat; bounds the gas of a draw.
    uint256 private constant PROBES = 12;

    // ── Seats

    /// @dev Parties are not, nor is an account that has or had a seat in this job.
    function _isEligible(bytes32 jobId, Terms calldata terms, address account) internal view returns (bool) {
        return account != terms.requester && account != terms.provider
            && _seats[jobId][account].status == SeatStatus.None;
    }

    function _checkSeat(bytes32 jobId, address validator, SeatStatus status)
        internal
        view
        returns (Seat storage seat)
    {
        seat = _seats[jobId][validator];
        if (seat.status != status) revert JobEscrow_WrongSeat(jobId, validator, seat.status);
    }

    /// @dev Takes the seat from a validator that has not committed. The caller unlocks its stake.
    function _vacate(bytes32 jobId, Record record, address validator, SeatStatus status) internal returns (Record) {
        _checkSeat(jobId, validator, SeatStatus.Appointed).status = status;
        return record.minus(SEATS + PENDING).plus(VACANT);
    }

    /// @dev Once no seat is pending: schedules a draw for vacant seats, once a round; else opens the reveal phase, or
    /// ends the round when no seat is left to reveal.
    function _closeCommitments(bytes32 jobId, Terms calldata terms, Record record) internal returns (Record) {
        if (record.count(PENDING) != 0) return record;
        uint8 vacant = record.count(VACANT);
        if (vacant != 0 && !record.has(REPLACED)) {
            uint256 appointedAt = record.deadline() - terms.schedule.commit();
            return _schedule(jobId, terms, record.clear(VACANT).with(REPLACED), vacant, appointedAt);
        }
        if (record.count(SEATS) == 0) return _judge(jobId, terms, record, Verdict.Inconclusive);
        return record.until(_in(terms.schedule.reveal()));
    }

    /// @dev Seats that have yet to commit, those to be drawn included.
    function _uncommitted(Record record) internal pure returns (uint8) {
        return record.count(PENDING) + record.count(TO_DRAW);
    }

    // ── Draws

    /// @dev Schedules a draw: the requester's window to reveal its seed begins, the provider's follows.
    /// @param asOf Unix seconds at which the phase that ends here began. The pool is taken as it was then, because
    /// neither seed was known: no account could join or leave it to steer the draw.
    function _schedule(bytes32 jobId, Terms calldata terms, Record record, uint8 seats, uint256 asOf)
        internal
        returns (Record)
    {
        uint40 deadline = _in(terms.schedule.reveal());
        _draws[jobId] = Draw(uint40(asOf), 0);
        emit DrawScheduled(jobId, seats, deadline);
        return record.fill(TO_DRAW, seats).plus(DRAWS).until(deadline);
    }

    /// @dev Stores the requester's seed, which `terms.secretHash` commits to.
    function _seed(bytes32 jobId, Terms calldata terms, Record record, bytes32 maskHash, bytes32 seed)
        internal
        returns (Record)
    {
        bytes32 tip = _tipOf(seed, record.draws());
        if (_hashOf(maskHash, tip) != terms.secretHash) revert JobEscrow_SeedMismatch(jobId, msg.sender);
        _draws[jobId].seed = bytes27(keccak256(abi.encode(seed)));
        uint40 deadline = _in(terms.schedule.reveal());
        emit SeedRevealed(jobId, seed, deadline);
        return record.with(SEEDED).until(deadline);
    }

    /// @dev Until when the provider may reveal its seed: one window after the requester's seed, or after the
    /// requester's deadline.
    function _seedDeadline(Terms calldata terms, Record record) internal pure returns (uint256) {
        return record.has(SEEDED) ? record.deadline() : uint256(record.deadline()) + terms.schedule.reveal();
    }

    /// @dev Fills up to `wanted` seats. Each search begins at a random place of the pool and walks on from there, so
    /// that a member that cannot serve does not cost a seat.
    function _fill(bytes32 jobId, Terms calldata terms, Record record, uint256 wanted, uint256 asOf, bytes32 seed)
        internal
        returns (Record)
    {
        uint256 fee = terms.token == COIN ? terms.validatorFee : type(uint256).max;
        uint40 deadline = _in(terms.schedule.commit());
        record = record.until(deadline);
        for (uint256 i = 0; i < wanted; ++i) {
            uint256 place = uint256(keccak256(abi.encode(seed, jobId, i))) >> 8;
            for (uint256 probe = 0; probe < PROBES; ++probe) {
                address validator = registry.candidate(place + probe, asOf, terms.validatorStake, fee);
                if (validator == address(0) || !_isEligible(jobId, terms, validator)) continue;
                // Effect
                record = record.plus(SEATS + PENDING + OCCUPIED);
                _seats[jobId][validator] = Seat(SeatStatus.Appointed, record.round(), 0);
                emit Appointed(jobId, validator, true, deadline, "");

                // Interaction: the registry calls nothing in turn, so the record may be saved after it
                registry.lock(validator, terms.validatorStake, Role.Validator, true);
                break;
            }
        }
        return _closeCommitments(jobId, terms, record);
    }

    // ── Measurements and verdicts

    /// @dev Loads a job whose validators have all committed.
    function _loadRevealing(Terms calldata terms) internal view returns (bytes32 jobId, Record record) {
        (jobId, record) = _load(terms, State.Validating);
        if (_uncommitted(record) != 0) revert JobEscrow_StillCommitting(jobId);
    }

    /// @dev Opens the caller's commitment, which must be of this round: a validator that hid in an earlier round has no
    /// vote in this one.
    function _openSeat(bytes32 jobId, Record record, Measurement calldata own) internal returns (Finding memory) {
        Seat storage seat = _checkSeat(jobId, msg.sender, SeatStatus.Committed);
        if (seat.round != record.round()) revert JobEscrow_WrongSeat(jobId, msg.sender, SeatStatus.Committed);
        if (seat.commitment != bytes30(_commitmentOf(jobId, msg.sender, own))) {
            revert JobEscrow_CommitmentMismatch(jobId, msg.sender);
        }
        emit Revealed(jobId, msg.sender, own.digest, own.score, own.salt);
        return Finding(msg.sender, own.score, own.digest);
    }

    /// @dev Opens the provider's commitment for any caller that was shown the measurement. Stores the finding only
    /// while others have yet to reveal.
    function _openProvider(
        bytes32 jobId,
        Terms calldata terms,
        Record record,
        Measurement calldata providers,
        bytes32 secretsCommitment
    ) internal returns (Finding memory finding) {
        bytes32 commitment = _commitmentOf(jobId, terms.provider, providers);
        if (record.submission() != _submissionOf(commitment, secretsCommitment)) {
            revert JobEscrow_CommitmentMismatch(jobId, terms.provider);
        }
        emit Revealed(jobId, terms.provider, providers.digest, providers.score, providers.salt);
        finding = Finding(terms.provider, providers.score, providers.digest);
        if (record.count(REVEALED) < record.count(SEATS)) _disclosed[jobId] = finding;
    }

    /// @dev Counts the votes that waited for the provider's measurement.
    function _countWaiting(bytes32 jobId, Rule rule, Record record, Finding memory theirs, uint256 waiting)
        internal
        returns (Record)
    {
        if (waiting == 0) return record;
        for (uint256 i = 0; i < waiting; ++i) {
            record = _vote(jobId, rule, record, _waiting[jobId][i], theirs);
        }
        delete _waiting[jobId];
        return record;
    }

    function _vote(bytes32 jobId, Rule rule, Record record, Finding memory mine, Finding memory theirs)
        internal
        returns (Record)
    {
        Vote vote = Judgement.voteOf(rule, mine.digest, mine.score, theirs.digest, theirs.score);
        SeatStatus status = SeatStatus.Unmet;
        if (vote == Vote.Pass) (status, record) = (SeatStatus.Passed, record.plus(PASSES));
        else if (vote == Vote.Fail) (status, record) = (SeatStatus.Failed, record.plus(FAILS));
        _seats[jobId][mine.author].status = status;
        return record;
    }

    /// @dev Judges once all seats and the provider have revealed.
    function _judgeIfComplete(bytes32 jobId, Terms calldata terms, Record record) internal returns (Record) {
        if (!record.has(DISCLOSED) || record.count(REVEALED) != record.count(SEATS)) return record;
        return _judge(jobId, terms, record, _verdictOf(record));
    }

    /// @dev Ends the round with a verdict. The deadline is that to claim or to appeal; the present second where neither
    /// is possible.
    function _judge(bytes32 jobId, Terms calldata terms, Record record, Verdict verdict) internal returns (Record) {
        State next = State.Inconclusive;
        if (verdict == Verdict.Pass) next = State.Validated;
        else if (verdict != Verdict.Inconclusive) next = State.Rejected;
        record = record.to(next);
        if (verdict == Verdict.Unmet) record = record.with(UNMET);
        uint40 deadline = uint40(block.timestamp);
        if (next == State.Validated && !record.has(CHALLENGED)) deadline = _in(terms.schedule.claim());
        else if (_isAppealable(record)) deadline = _in(terms.schedule.appeal());
        emit Judged(jobId, verdict, record.count(PASSES), record.count(FAILS), deadline);
        return record.until(deadline);
    }

    /// @dev A job is appealed once, and only against a rejection on measurements or the lack of a verdict. Not against
    /// the rejection of a provider that hid its measurement or seed; nor where a challenge lacked a verdict, since the
    /// claim stands then.
    function _isAppealable(Record record) internal pure returns (bool) {
        if (record.has(APPEALED)) return false;
        State state = record.state();
        if (state == State.Rejected) return record.has(DISCLOSED);
        return state == State.Inconclusive && record.round() != Round.Challenge;
    }

    /// @dev Until when the provider's measurement may be disclosed: one window longer than validators may reveal
    /// theirs, once one has, so that a reveal in the last second leaves the provider time to answer.
    function _disclosureDeadline(Terms calldata terms, Record record) internal pure returns (uint256) {
        uint256 extra = record.count(REVEALED) == 0 ? 0 : terms.schedule.reveal();
        return record.deadline() + extra;
    }

    /// @dev The verdict of a round in which the provider's measurement is known, so that no vote waits: those that
    /// neither pass nor fail find the threshold not reached.
    function _verdictOf(Record record) internal pure returns (Verdict) {
        (uint256 passes, uint256 fails) = (record.count(PASSES), record.count(FAILS));
        return Judgement.verdictOf(record.count(SEATS), passes, fails, record.count(REVEALED) - passes - fails);
    }

    // ── Payouts

    /// @dev The panel of a job that never had one.
    function _emptyPanel() internal pure returns (address[] calldata panel) {
        assembly ("memory-safe") {
            panel.offset := 0
            panel.length := 0
        }
    }

    /// @dev Pays the provider. A deposit lost in a challenge is burnt, that is, owed to the zero address: if the
    /// provider got it, withholding a result until the requester challenges would pay.
    function _settle(bytes32 jobId, Terms calldata terms, Record record, address[] calldata panel) internal {
        // Check, Effect: the panel's list is checked as its fees are credited
        _records[jobId] = record.to(State.Settled).until(0);
        bool passed = _verdictOf(record) == Verdict.Pass;
        (uint256 requesters, uint256 providers, uint256 outcomes) =
            _payPanel(jobId, terms, record, panel, passed ? Verdict.Pass : Verdict.None);
        uint256 deposit = record.has(CHALLENGED) ? _depositOf(terms) : 0;
        _credit(terms.provider, terms.token, terms.price + providers);
        _credit(terms.requester, terms.token, requesters);
        _credit(passed ? address(0) : terms.requester, terms.token, deposit);
        emit Settled(jobId);

        // Interaction: registry and rating are this contract's own, so no guard
        _freePanel(terms, panel, outcomes);
        registry.unlock(terms.provider, terms.providerStake);
        rating.record(terms.provider, Role.Provider, Outcome.Settled);
    }

    /// @dev Refunds the requester, and slashes a provider that missed a deadline, hid, or was found wrong. All of the
    /// slashed stake is burnt but {COMPENSATION_PERCENT}, and that too when validators that the requester had named
    /// found the result wrong: a party that can bring a slash about must not gain by it.
    /// @param share The provider's part of the price, in 1/10,000.
    function _refund(
        bytes32 jobId,
        Terms calldata terms,
        Record record,
        address[] calldata panel,
        Cause cause,
        uint256 share
    ) internal {
        // Check, Effect: the panel's list is checked as its fees are credited
        _records[jobId] = record.to(State.Refunded).until(0);
        Verdict verdict = Verdict.None;
        if (cause == Cause.Rejected) verdict = Verdict.Fail;
        else if (cause == Cause.Unmet) verdict = Verdict.Unmet;
        (uint256 requesters, uint256 providers, uint256 outcomes) = _payPanel(jobId, terms, record, panel, verdict);
        bool keepsStake = cause == Cause.Released || cause >= Cause.Inconclusive;
        uint256 paid = terms.price * share / WHOLE;
        bool named = cause == Cause.Rejected && record.has(NAMED);
        uint256 compensation = keepsStake || named ? 0 : uint256(terms.providerStake) * COMPENSATION_PERCENT / 100;
        uint256 deposit = record.has(CHALLENGED) ? _depositOf(terms) : 0;
        _credit(terms.requester, terms.token, terms.price - paid + requesters + deposit);
        _credit(terms.requester, COIN, compensation);
        _credit(terms.provider, terms.token, paid + providers);
        emit Refunded(jobId, cause);

        // Interaction: registry and rating are this contract's own, so no guard
        _freePanel(terms, panel, outcomes);
        if (keepsStake) registry.unlock(terms.provider, terms.providerStake);
        else _slash(terms.provider, terms.providerStake, terms.providerStake - compensation);
        if (cause == Cause.Inconclusive || cause == Cause.Stopped) return;
        Outcome outcome = Outcome.Late;
        if (cause == Cause.Released) outcome = Outcome.Released;
        else if (cause == Cause.Rejected) outcome = Outcome.Rejected;
        else if (cause == Cause.Hid) outcome = Outcome.Hid;
        else if (cause == Cause.Unmet) outcome = Outcome.Unmet;
        rating.record(terms.provider, Role.Provider, outcome);
        // Providers see whose jobs come to nothing.
        if (outcome == Outcome.Released || outcome == Outcome.Unmet) {
            rating.record(terms.requester, Role.Requester, outcome);
        }
    }

    /// @dev Credits the fees of a closing job's validators. The list is complete and without doubles: its length is
    /// the number of seats ever given, and it ascends.
    /// @param verdict What the last round found; none where it found nothing. Validators of earlier rounds that voted
    /// otherwise were wrong.
    /// @return requesters What is left of the requester's fees: those it posted, and those in the bond of a challenge.
    /// @return providers What is left of the provider's bond of an appeal.
    /// @return outcomes The {Outcome} of each in `panel`, one byte each from the lowest; a job has at most 26 seats.
    function _payPanel(
        bytes32 jobId,
        Terms calldata terms,
        Record record,
        address[] calldata panel,
        Verdict verdict
    ) private returns (uint256 requesters, uint256 providers, uint256 outcomes) {
        if (panel.length != record.occupied()) {
            revert JobEscrow_WrongPanelSize(jobId, panel.length, record.occupied());
        }
        uint256 bond = appealBondOf(terms);
        requesters = _feesOf(terms) + (record.has(CHALLENGED) ? bond : 0);
        providers = record.has(APPEALED) ? bond : 0;
        for (uint256 i = 0; i < panel.length; ++i) {
            if (i != 0 && panel[i] <= panel[i - 1]) {
                revert JobEscrow_WrongSeat(jobId, panel[i], _seats[jobId][panel[i]].status);
            }
            (Outcome outcome, Round round, bool paid) = _paySeat(jobId, terms, record, panel[i], verdict);
            outcomes |= uint256(outcome) << (8 * i);
            if (!paid) continue;
            if (round == Round.Appeal) providers -= terms.validatorFee;
            else requesters -= terms.validatorFee;
        }
    }

    /// @dev Credits one validator's fee, to it or to the provider; `paid` says whether to either.
    function _paySeat(bytes32 jobId, Terms calldata terms, Record record, address validator, Verdict verdict)
        private
        returns (Outcome outcome, Round round, bool paid)
    {
        SeatStatus status = _seats[jobId][validator].status;
        round = _seats[jobId][validator].round;
        if (status == SeatStatus.None) revert JobEscrow_WrongSeat(jobId, validator, status);
        outcome = _outcomeOf(record, status, round, verdict);
        // A fee lost for a vote that was too hard on the provider goes to the provider; one lost for a vote that was
        // too mild stays with its payer.
        bool hard = status == SeatStatus.Failed || status == SeatStatus.Unmet && verdict == Verdict.Pass;
        bool toProvider = outcome == Outcome.Rejected && hard;
        paid = outcome == Outcome.Settled || toProvider;
        if (paid) _credit(toProvider ? terms.provider : validator, terms.token, terms.validatorFee);
    }

    /// @dev Unlocks or slashes the stakes of a closing job's validators, and counts their outcomes. The stakes of those
    /// that abstained or were dismissed were unlocked when they left.
    /// @param outcomes As from {_payPanel}.
    function _freePanel(Terms calldata terms, address[] calldata panel, uint256 outcomes) private {
        for (uint256 i = 0; i < panel.length; ++i) {
            address validator = panel[i];
            Outcome outcome = Outcome(uint8(outcomes >> (8 * i)));
            if (outcome == Outcome.Settled) {
                registry.unlock(validator, terms.validatorStake);
            } else if (outcome == Outcome.Hid || outcome == Outcome.Rejected) {
                // All of it is burnt: neither party may gain by keeping a validator from its reveal.
                _slash(validator, terms.validatorStake, terms.validatorStake);
            }
            rating.record(validator, Role.Validator, outcome);
        }
    }

    /// @dev How the job ended for a validator. One that committed is excused where its round ended before reveals
    /// began, because the provider hid its seed.
    function _outcomeOf(Record record, SeatStatus status, Round round, Verdict verdict)
        private
        pure
        returns (Outcome)
    {
        if (status == SeatStatus.Abstained) return Outcome.Abstained;
        if (status == SeatStatus.Dismissed) return Outcome.Late;
        bool earlier = round != record.round();
        if (status == SeatStatus.Committed && (earlier || record.count(TO_DRAW) == 0)) return Outcome.Hid;
        return earlier && _contradicts(verdict, status) ? Outcome.Rejected : Outcome.Settled;
    }

    /// @dev Whether a counted vote is another than `verdict`, if there is one.
    function _contradicts(Verdict verdict, SeatStatus vote) private pure returns (bool) {
        if (verdict == Verdict.None) return false;
        if (vote == SeatStatus.Passed) return verdict != Verdict.Pass;
        if (vote == SeatStatus.Failed) return verdict != Verdict.Fail;
        return vote == SeatStatus.Unmet && verdict != Verdict.Unmet;
    }

    /// @dev Slashing no stake would still count a strike, so it is left out.
    function _slash(address account, uint256 amount, uint256 burnt) private {
        if (amount != 0) registry.slash(account, amount, burnt);
    }
}
