// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Cause, Round, SeatStatus, State, Verdict} from "../interfaces/IJobEscrow.sol";
import {Outcome, Role} from "../interfaces/IProviderRating.sol";
import {Judgement} from "../libraries/Judgement.sol";
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
    VACANT
} from "../libraries/Record.sol";
import {Rule} from "../libraries/Rule.sol";
import {EscrowStorage} from "./EscrowStorage.sol";

/// @notice What the steps of a job share: who has a seat, how votes become a verdict, and who gets what at the end.
abstract contract EscrowPanel is EscrowStorage {
    /// What a job's fee funds hold, as its validators are paid from them.
    struct Funds {
        /// The requester's: the fees posted, and those in the bond of a challenge.
        uint256 requesters;
        /// The provider's: the bond of an appeal.
        uint256 providers;
    }

    /// Members of the pool that a draw looks at for one seat.
    uint256 private constant PROBES = 12;

    // ── Seats

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

    function _vacate(bytes32 jobId, Record record, address validator, SeatStatus status) internal returns (Record) {
        _checkSeat(jobId, validator, SeatStatus.Appointed).status = status;
        return record.minus(SEATS + PENDING).plus(VACANT);
    }

    /// @dev Once no seat is pending: refills seats that were left, the first time; else opens the reveal phase, or
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

    /// @dev Asks for the seeds of the next draw: the requester's first, then the provider's.
    /// @param asOf When the pool is looked at: the phase that ends here began then, and neither seed was known.
    function _schedule(bytes32 jobId, Terms calldata terms, Record record, uint8 seats, uint256 asOf)
        internal
        returns (Record)
    {
        uint40 deadline = _in(terms.schedule.reveal());
        _draws[jobId] = Draw(uint40(asOf), 0);
        emit DrawScheduled(jobId, seats, deadline);
        return record.fill(TO_DRAW, seats).plus(DRAWS).until(deadline);
    }

    /// @dev Takes the requester's seed, which opens `terms.secretHash`.
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

    /// @dev Until when the provider may reveal its seed: a window after the requester's, or after its lost turn.
    function _seedDeadline(Terms calldata terms, Record record) internal pure returns (uint256) {
        return record.has(SEEDED) ? record.deadline() : uint256(record.deadline()) + terms.schedule.reveal();
    }

    /// @dev Seats as many as the pool gives. For each seat it walks on from a random place, so that a member
    /// that cannot serve costs no seat.
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
                record = record.plus(SEATS + PENDING + OCCUPIED);
                _seats[jobId][validator] = Seat(SeatStatus.Appointed, record.round(), 0);
                emit Appointed(jobId, validator, true, deadline, "");
                registry.lock(validator, terms.validatorStake, Role.Validator, true);
                break;
            }
        }
        return _closeCommitments(jobId, terms, record);
    }

    // ── Measurements and verdicts

    /// @dev Opens the caller's commitment, which it made in this round: one that hid in an earlier one has no vote.
    function _openSeat(bytes32 jobId, Record record, Measurement calldata own) internal returns (Finding memory) {
        Seat storage seat = _checkSeat(jobId, msg.sender, SeatStatus.Committed);
        if (seat.round != record.round()) revert JobEscrow_WrongSeat(jobId, msg.sender, SeatStatus.Committed);
        if (seat.commitment != bytes30(_commitmentOf(jobId, msg.sender, own))) {
            revert JobEscrow_CommitmentMismatch(jobId, msg.sender);
        }
        emit Revealed(jobId, msg.sender, own.digest, own.score, own.salt);
        return Finding(msg.sender, own.score, own.digest);
    }

    /// @dev Opens the provider's commitment, whoever was shown it; keeps it while others have yet to reveal.
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
        bool confirmed = Judgement.confirms(rule, mine.digest, mine.score, theirs.digest, theirs.score);
        _seats[jobId][mine.author].status = confirmed ? SeatStatus.Passed : SeatStatus.Failed;
        return record.plus(confirmed ? PASSES : FAILS);
    }

    /// @dev Judges once nothing is left to reveal.
    function _judgeIfComplete(bytes32 jobId, Terms calldata terms, Record record) internal returns (Record) {
        if (!record.has(DISCLOSED) || record.count(REVEALED) != record.count(SEATS)) return record;
        return _judge(jobId, terms, record, _verdictOf(record));
    }

    /// @dev Ends the round with a verdict.
    function _judge(bytes32 jobId, Terms calldata terms, Record record, Verdict verdict) internal returns (Record) {
        State next = State.Inconclusive;
        if (verdict == Verdict.Pass) next = State.Validated;
        else if (verdict == Verdict.Fail) next = State.Rejected;
        record = record.to(next);
        uint40 deadline = uint40(block.timestamp);
        if (next == State.Validated && !record.has(CHALLENGED)) deadline = _in(terms.schedule.claim());
        else if (_isAppealable(record)) deadline = _in(terms.schedule.appeal());
        emit Judged(jobId, verdict, record.count(PASSES), record.count(FAILS), deadline);
        return record.until(deadline);
    }

    /// @dev A job is appealed once: a rejection on measurements (not that of a provider which hid its own), or the
    /// lack of a verdict, unless a challenge lacked it: then the claim stands.
    function _isAppealable(Record record) internal pure returns (bool) {
        if (record.has(APPEALED)) return false;
        State state = record.state();
        if (state == State.Rejected) return record.has(DISCLOSED);
        return state == State.Inconclusive && record.round() != Round.Challenge;
    }

    function _loadRevealing(Terms calldata terms) internal view returns (bytes32 jobId, Record record) {
        (jobId, record) = _load(terms, State.Validating);
        if (_uncommitted(record) != 0) revert JobEscrow_StillCommitting(jobId);
    }

    /// @dev Until when the provider's measurement may be shown: a window longer than validators have to reveal
    /// theirs, so that one that reveals in the last second does not leave the provider without time to answer.
    function _disclosureDeadline(Terms calldata terms, Record record) internal pure returns (uint256) {
        uint256 extra = record.count(REVEALED) == 0 ? 0 : terms.schedule.reveal();
        return record.deadline() + extra;
    }

    /// @dev Revealed, but not counted yet.
    function _waitingIn(Record record) internal pure returns (uint256) {
        return record.count(REVEALED) - record.count(PASSES) - record.count(FAILS);
    }

    function _verdictOf(Record record) internal pure returns (Verdict) {
        return Judgement.verdictOf(record.count(SEATS), record.count(PASSES), record.count(FAILS));
    }

    // ── Endings

    /// @dev Pays the provider. The job is saved as final before anything else happens.
    function _settle(bytes32 jobId, Terms calldata terms, Record record, address[] calldata panel) internal {
        // Effect
        _records[jobId] = record.to(State.Settled).until(0);
        bool passed = _verdictOf(record) == Verdict.Pass;
        emit Settled(jobId);

        // Effect, Interaction
        Funds memory funds = _closePanel(jobId, terms, record, panel, passed ? SeatStatus.Failed : SeatStatus.None);
        uint256 deposit = record.has(CHALLENGED) ? _depositOf(terms) : 0;
        _credit(terms.provider, terms.token, terms.price + funds.providers);
        _credit(terms.requester, terms.token, funds.requesters);
        // A lost deposit is burnt: owed to an account that never withdraws. A provider that kept its result from the
        // requester until it challenged would gain by it otherwise.
        _credit(passed ? address(0) : terms.requester, terms.token, deposit);
        registry.unlock(terms.provider, terms.providerStake);
        rating.record(terms.provider, Role.Provider, Outcome.Settled);
    }

    /// @dev Refunds the requester, and slashes a provider that missed a deadline or was found wrong. Most of it is
    /// burnt, and all of it when validators that the requester had named found so: a party that can bring a slash
    /// about must not gain by it.
    function _refund(bytes32 jobId, Terms calldata terms, Record record, address[] calldata panel, Cause cause)
        internal
    {
        // Effect
        _records[jobId] = record.to(State.Refunded).until(0);
        emit Refunded(jobId, cause);

        // Effect, Interaction
        SeatStatus overruled = cause == Cause.Rejected ? SeatStatus.Passed : SeatStatus.None;
        Funds memory funds = _closePanel(jobId, terms, record, panel, overruled);
        uint256 deposit = record.has(CHALLENGED) ? _depositOf(terms) : 0;
        _credit(terms.requester, terms.token, terms.price + funds.requesters + deposit);
        _credit(terms.provider, terms.token, funds.providers);
        if (cause == Cause.Released || cause == Cause.Inconclusive) {
            registry.unlock(terms.provider, terms.providerStake);
            if (cause == Cause.Released) rating.record(terms.provider, Role.Provider, Outcome.Released);
            return;
        }
        bool named = cause == Cause.Rejected && record.has(NAMED);
        uint256 compensation = named ? 0 : uint256(terms.providerStake) * COMPENSATION_PERCENT / 100;
        _slash(terms.provider, terms.providerStake, terms.providerStake - compensation);
        _credit(terms.requester, COIN, compensation);
        bool late = cause == Cause.RunMissed || cause == Cause.ClaimMissed;
        Outcome outcome = late ? Outcome.Late : cause == Cause.Hid ? Outcome.Hid : Outcome.Rejected;
        rating.record(terms.provider, Role.Provider, outcome);
    }

    /// @dev Pays, lets go or slashes every validator, and says what is left of the funds. The ascending order
    /// shows that no account is listed twice, the count that none is left out.
    /// @param overruled The vote that the last round contradicts: earlier validators that gave it were wrong.
    function _closePanel(
        bytes32 jobId,
        Terms calldata terms,
        Record record,
        address[] calldata panel,
        SeatStatus overruled
    ) private returns (Funds memory funds) {
        if (panel.length != record.occupied()) {
            revert JobEscrow_WrongPanelSize(jobId, panel.length, record.occupied());
        }
        uint256 bond = appealBondOf(terms);
        funds.requesters = _feesOf(terms) + (record.has(CHALLENGED) ? bond : 0);
        funds.providers = record.has(APPEALED) ? bond : 0;
        address previous = address(0);
        for (uint256 i = 0; i < panel.length; ++i) {
            address validator = panel[i];
            Seat memory seat = _seats[jobId][validator];
            if (seat.status == SeatStatus.None || validator <= previous) {
                revert JobEscrow_WrongSeat(jobId, validator, seat.status);
            }
            previous = validator;
            _closeSeat(terms, record, funds, validator, seat, overruled);
        }
    }

    function _closeSeat(
        Terms calldata terms,
        Record record,
        Funds memory funds,
        address validator,
        Seat memory seat,
        SeatStatus overruled
    ) private {
        bool earlier = seat.round != record.round();
        if (seat.status == SeatStatus.Abstained) {
            rating.record(validator, Role.Validator, Outcome.Abstained);
        } else if (seat.status == SeatStatus.Dismissed) {
            rating.record(validator, Role.Validator, Outcome.Late);
        } else if (seat.status == SeatStatus.Committed && (earlier || record.count(TO_DRAW) == 0)) {
            // It could reveal and did not. Both sides waited for it, and neither may gain by keeping it from that.
            _slash(validator, terms.validatorStake, terms.validatorStake);
            rating.record(validator, Role.Validator, Outcome.Hid);
        } else {
            bool wrong = earlier && seat.status == overruled;
            // Who loses a fee to the provider loses it from the side that would have paid it.
            if (!wrong || seat.status == SeatStatus.Failed) {
                if (seat.round == Round.Appeal) funds.providers -= terms.validatorFee;
                else funds.requesters -= terms.validatorFee;
                _credit(wrong ? terms.provider : validator, terms.token, terms.validatorFee);
            }
            if (wrong) _slash(validator, terms.validatorStake, terms.validatorStake);
            else registry.unlock(validator, terms.validatorStake);
            rating.record(validator, Role.Validator, wrong ? Outcome.Rejected : Outcome.Settled);
        }
    }

    function _slash(address account, uint256 amount, uint256 burnt) private {
        if (amount != 0) registry.slash(account, amount, burnt);
    }
}
