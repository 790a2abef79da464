// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Cause, Round, SeatStatus, State, Verdict} from "./interfaces/IJob.sol";
import {IJobExceptions} from "./interfaces/IJobExceptions.sol";
import {IProviderRating} from "./interfaces/IProviderRating.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {EscrowPanel} from "./escrow/EscrowPanel.sol";
import {EscrowStorage} from "./escrow/EscrowStorage.sol";
import {
    APPEALED,
    CHALLENGED,
    DISCLOSED,
    DRAWS,
    ONE_SIDED,
    PENDING,
    REVEALED,
    Record,
    SEEDED,
    TO_DRAW
} from "./libraries/Record.sol";
import {WHOLE} from "./libraries/Rule.sol";

/// @title The half of the escrow that jobs seldom need; see {IJobExceptions}
/// @dev {JobEscrow} calls it by `delegatecall`: the storage and the money are the escrow's, and this contract's own
/// storage stays empty, so that a call to it directly finds no job. One contract may not be larger than 24,576 bytes.
contract JobExceptions is EscrowPanel, IJobExceptions {
    constructor(IProviderRegistry registry_, IProviderRating rating_) EscrowStorage(registry_, rating_) {}

    // ── Post and run

    /// @inheritdoc IJobExceptions
    function cancel(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Posted);
        if (msg.sender != terms.requester) _checkOver(jobId, record.deadline());

        // Effect
        _records[jobId] = record.to(State.Cancelled).until(0);
        _credit(terms.requester, terms.token, terms.price + _feesOf(terms));
        emit Cancelled(jobId);
    }

    /// @inheritdoc IJobExceptions
    function release(Terms calldata terms, bytes calldata reason, bytes calldata sealedLog) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Accepted);
        _checkCaller(jobId, terms.provider);
        _checkInTime(jobId, record.deadline());
        _checkLength(reason.length, MAX_REASON_BYTES);
        _checkLength(sealedLog.length, MAX_LOG_BYTES);

        // Effect, Interaction
        emit Released(jobId, reason, sealedLog);
        _refund(jobId, terms, record, _emptyPanel(), Cause.Released, 0);
    }

    /// @inheritdoc IJobExceptions
    function stop(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Accepted);
        _checkCaller(jobId, terms.requester);
        _checkInTime(jobId, record.deadline());

        // Effect, Interaction
        uint256 run = terms.schedule.run();
        uint256 used = run - (record.deadline() - block.timestamp);
        uint256 share = Math.max(terms.rule.stopFloor(), Math.min(terms.rule.stopCap(), used * WHOLE / run));
        emit Stopped(jobId, terms.price * share / WHOLE);
        _refund(jobId, terms, record, _emptyPanel(), Cause.Stopped, share);
    }

    // ── Seat validators

    /// @inheritdoc IJobExceptions
    function handover(Terms calldata terms, address validator, bytes calldata sealedLocator) external {
        // Check
        bytes32 jobId = _idOf(terms);
        if (msg.sender != terms.requester) _checkCaller(jobId, terms.provider);
        SeatStatus status = _seats[jobId][validator].status;
        if (status == SeatStatus.None) revert JobEscrow_WrongSeat(jobId, validator, status);
        _checkLength(sealedLocator.length, MAX_LOCATOR_BYTES);

        // Effect
        emit HandedOver(jobId, validator, msg.sender, sealedLocator);
    }

    /// @inheritdoc IJobExceptions
    function revealSeed(Terms calldata terms, bytes32 maskHash, bytes32 seed) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Validating);
        _checkCaller(jobId, terms.requester);
        if (record.count(TO_DRAW) == 0 || record.has(SEEDED)) revert JobEscrow_NothingToDraw(jobId);
        _checkInTime(jobId, record.deadline());

        // Check, Effect
        _records[jobId] = _seed(jobId, terms, record, maskHash, seed);
    }

    /// @inheritdoc IJobExceptions
    function draw(Terms calldata terms, bytes32 measurementCommitment, bytes32 keyCommitment, bytes32 seed) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms);
        _checkCaller(jobId, terms.provider);
        Draw memory scheduled = _draws[jobId];
        uint8 seats = record.count(TO_DRAW);
        bool unappointed = record.state() == State.Submitted && terms.rule.validators() != 0;
        if (unappointed) {
            _checkOver(jobId, record.deadline());
            _checkInTime(jobId, record.deadline() + uint256(terms.schedule.claim()));
            seats = terms.rule.validators();
            scheduled = Draw(record.deadline() - terms.schedule.appoint(), 0);
            record = record.to(State.Validating).plus(DRAWS);
        } else {
            if (record.state() != State.Validating) revert JobEscrow_InvalidStatus(jobId, record.state());
            if (seats == 0) revert JobEscrow_NothingToDraw(jobId);
            if (!record.has(SEEDED)) _checkOver(jobId, record.deadline());
            _checkInTime(jobId, _seedDeadline(terms, record));
        }
        bytes32 secretsCommitment = _hashOf(keyCommitment, _tipOf(seed, record.draws()));
        if (record.submission() != _submissionOf(measurementCommitment, secretsCommitment)) {
            revert JobEscrow_SeedMismatch(jobId, msg.sender);
        }

        // Effect, Interaction: whom a seat goes to is the registry's answer, so the calls cannot all come last
        if (unappointed) emit DrawScheduled(jobId, seats, _in(0));
        if (scheduled.seed == 0) record = record.with(ONE_SIDED);
        record = record.clear(TO_DRAW).without(SEEDED);
        record = _fill(jobId, terms, record, seats, scheduled.asOf, _hashOf(scheduled.seed, seed));
        _records[jobId] = record;
        if (record.state() == State.Validating) {
            emit Drawn(jobId, seed, record.has(ONE_SIDED), _uncommitted(record), record.deadline());
        }
    }

    // ── Validate

    /// @inheritdoc IJobExceptions
    function abstain(Terms calldata terms, bytes calldata reason) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Validating);
        _checkSeat(jobId, msg.sender, SeatStatus.Appointed);
        _checkInTime(jobId, record.deadline());
        _checkLength(reason.length, MAX_REASON_BYTES);

        // Effect
        record = _closeCommitments(jobId, terms, _vacate(jobId, record, msg.sender, SeatStatus.Abstained));
        _records[jobId] = record;
        emit Abstained(jobId, msg.sender, reason, _uncommitted(record), record.deadline());

        // Interaction: the registry calls nothing in turn, so no guard
        registry.unlock(msg.sender, terms.validatorStake);
    }

    /// @inheritdoc IJobExceptions
    function dismiss(Terms calldata terms, address[] calldata missing) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Validating);
        if (record.count(PENDING) == 0) revert JobEscrow_NothingPending(jobId);
        _checkOver(jobId, record.deadline());

        // Check, Effect: a seat that is taken away twice fails its second check
        for (uint256 i = 0; i < missing.length; ++i) {
            record = _vacate(jobId, record, missing[i], SeatStatus.Dismissed);
        }
        record = _closeCommitments(jobId, terms, record);
        _records[jobId] = record;
        for (uint256 i = 0; i < missing.length; ++i) {
            emit Dismissed(jobId, missing[i], _uncommitted(record), record.deadline());
        }

        // Interaction: the registry calls nothing in turn, so no guard
        for (uint256 i = 0; i < missing.length; ++i) {
            registry.unlock(missing[i], terms.validatorStake);
        }
    }

    /// @inheritdoc IJobExceptions
    function revealAlone(Terms calldata terms, Measurement calldata own) external {
        // Check
        (bytes32 jobId, Record record) = _loadRevealing(terms);
        _checkInTime(jobId, record.deadline());

        // Check, Effect
        Finding memory mine = _openSeat(jobId, record, own);
        record = record.plus(REVEALED);
        if (record.has(DISCLOSED)) {
            record = _vote(jobId, terms.rule, record, mine, _disclosed[jobId]);
        } else {
            _seats[jobId][msg.sender].status = SeatStatus.Revealed;
            _waiting[jobId].push(mine);
        }
        _records[jobId] = _judgeIfComplete(jobId, terms, record);
    }

    /// @inheritdoc IJobExceptions
    function disclose(Terms calldata terms, Measurement calldata providers, bytes32 secretsCommitment) external {
        // Check
        (bytes32 jobId, Record record) = _loadRevealing(terms);
        if (record.has(DISCLOSED)) revert JobEscrow_AlreadyDisclosed(jobId);
        _checkInTime(jobId, _disclosureDeadline(terms, record));

        // Check, Effect
        Finding memory theirs = _openProvider(jobId, terms, record, providers, secretsCommitment);
        record = _countWaiting(jobId, terms.rule, record.with(DISCLOSED), theirs, record.count(REVEALED));
        _records[jobId] = _judgeIfComplete(jobId, terms, record);
    }

    /// @inheritdoc IJobExceptions
    function conclude(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Validating);
        Verdict verdict = Verdict.Fail;
        uint256 deadline;
        if (record.count(TO_DRAW) != 0) {
            // A provider that hides its seed fails, as one that hides its measurement does.
            deadline = _seedDeadline(terms, record);
        } else if (record.count(PENDING) != 0) {
            revert JobEscrow_StillCommitting(jobId);
        } else if (record.has(DISCLOSED)) {
            verdict = _verdictOf(record);
            deadline = record.deadline();
        } else {
            if (record.count(REVEALED) == 0) verdict = Verdict.Inconclusive;
            deadline = _disclosureDeadline(terms, record);
        }
        _checkOver(jobId, deadline);

        // Effect
        _records[jobId] = _judge(jobId, terms, record, verdict);
    }

    // ── Dispute

    /// @inheritdoc IJobExceptions
    function challenge(Terms calldata terms, bytes32 maskHash, bytes32 seed) external payable {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Claimed);
        _checkCaller(jobId, terms.requester);
        _checkInTime(jobId, record.deadline());

        // Check, Effect
        uint256 bond = challengeBondOf(terms);
        emit Challenged(jobId, bond);
        uint256 claimedAt = record.deadline() - terms.schedule.challenge();
        record = record.begin(Round.Challenge).to(State.Validating).with(CHALLENGED);
        record = _schedule(jobId, terms, record, PANEL, claimedAt);
        _records[jobId] = _seed(jobId, terms, record, maskHash, seed);

        // Interaction
        _take(terms.token, bond);
    }

    /// @inheritdoc IJobExceptions
    function appeal(Terms calldata terms) external payable {
        // Check
        (bytes32 jobId, Record record) = _load(terms);
        _checkCaller(jobId, terms.provider);
        if (!_isAppealable(record)) revert JobEscrow_NoAppeal(jobId);
        _checkInTime(jobId, record.deadline());

        // Effect
        uint256 bond = appealBondOf(terms);
        emit Appealed(jobId, bond);
        uint256 judgedAt = record.deadline() - terms.schedule.appeal();
        record = record.begin(Round.Appeal).to(State.Validating).with(APPEALED);
        _records[jobId] = _schedule(jobId, terms, record, PANEL, judgedAt);

        // Interaction
        _take(terms.token, bond);
    }

    // ── Close

    /// @inheritdoc IJobExceptions
    function expire(Terms calldata terms, address[] calldata panel) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms);
        State state = record.state();
        uint256 deadline = record.deadline();
        if (state == State.Submitted) {
            // After the requester's window to appoint the provider has one to draw.
            if (terms.rule.validators() != 0) deadline += terms.schedule.claim();
        } else if (state != State.Accepted && (state != State.Validated || record.has(CHALLENGED))) {
            revert JobEscrow_InvalidStatus(jobId, state);
        }
        _checkOver(jobId, deadline);

        // Effect, Interaction
        _refund(jobId, terms, record, panel, state == State.Accepted ? Cause.RunMissed : Cause.ClaimMissed, 0);
    }
}
