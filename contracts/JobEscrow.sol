// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Cause, IJobEscrow, Round, SeatStatus, State, Verdict} from "./interfaces/IJobEscrow.sol";
import {Role} from "./interfaces/IProviderRating.sol";
import {EscrowPanel} from "./escrow/EscrowPanel.sol";
import {EscrowStorage} from "./escrow/EscrowStorage.sol";
import {
    APPEALED,
    CHALLENGED,
    DISCLOSED,
    DRAWS,
    NAMED,
    OCCUPIED,
    ONE_SIDED,
    PENDING,
    PROVIDER_RATED,
    REQUESTER_RATED,
    REVEALED,
    Record,
    SEATS,
    SEEDED,
    TO_DRAW
} from "./libraries/Record.sol";

/// @title Escrow of jobs: their money, states and verdicts; see {IJobEscrow}
/// @dev The calls of a job, in the order of its life. {EscrowPanel} has the steps that
/// they share, {EscrowStorage} the storage, the transfers and the checks.
///
/// In each call `Check` reads and reverts, `Effect` writes this contract's storage and emits, `Interaction` calls
/// another contract. Calls to the registry and the rating have no reentrancy guard and need none; {EscrowStorage} says
/// why. A token and a payee can run a stranger's code: they are called last, after all effects, and under the guard.
contract JobEscrow is EscrowPanel {
    /// @param poolStake Stake that a validator needs to be drawn, and the most that a job may lock of one; wei.
    /// @param cooldown Seconds from the request to withdraw a stake until it can be withdrawn.
    constructor(uint256 poolStake, uint256 cooldown) EscrowStorage(poolStake, cooldown) {}

    /// @dev Takes the part of a slashed stake that is not burnt; the call that slashes has credited it already.
    receive() external payable {
        // Check
        if (msg.sender != address(registry)) revert JobEscrow_NotRegistry(msg.sender);
    }

    // ── Post

    /// @inheritdoc IJobEscrow
    function post(Terms calldata terms, bytes32 seedTip, bytes calldata sealedLocator)
        external
        payable
        returns (bytes32 jobId)
    {
        // Check
        Record record;
        (jobId, record) = _load(terms);
        _checkCaller(jobId, terms.requester);
        if (record.state() != State.None) revert JobEscrow_AlreadyPosted(jobId);
        if (!_isValid(terms)) revert JobEscrow_InvalidTerms();
        _checkInTime(jobId, terms.schedule.acceptBy());
        _checkLength(sealedLocator.length, MAX_LOCATOR_BYTES);

        // Effect
        _records[jobId] = record.to(State.Posted).until(terms.schedule.acceptBy());
        emit Posted(jobId, terms.requester, terms.provider, terms, seedTip, sealedLocator);

        // Interaction
        _take(terms.token, terms.price + _feesOf(terms));
    }

    /// @inheritdoc IJobEscrow
    function cancel(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Posted);
        if (msg.sender != terms.requester) _checkOver(jobId, record.deadline());

        // Effect
        _records[jobId] = record.to(State.Cancelled).until(0);
        _credit(terms.requester, terms.token, terms.price + _feesOf(terms));
        emit Cancelled(jobId);
    }

    // ── Run

    /// @inheritdoc IJobEscrow
    function accept(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Posted);
        _checkCaller(jobId, terms.provider);
        _checkInTime(jobId, record.deadline());

        // Effect
        uint40 deadline = _in(terms.schedule.run());
        _records[jobId] = record.to(State.Accepted).until(deadline);
        emit Accepted(jobId, deadline);

        // Interaction: the registry calls nothing in turn, so no guard
        registry.lock(terms.provider, terms.providerStake, Role.Provider, false);
    }

    /// @inheritdoc IJobEscrow
    function release(Terms calldata terms, bytes calldata reason) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Accepted);
        _checkCaller(jobId, terms.provider);
        _checkInTime(jobId, record.deadline());
        _checkLength(reason.length, MAX_REASON_BYTES);

        // Effect, Interaction
        emit Released(jobId, reason);
        _refund(jobId, terms, record, _emptyPanel(), Cause.Released);
    }

    /// @inheritdoc IJobEscrow
    function submit(
        Terms calldata terms,
        bytes32 resultRoot,
        bytes32 measurementCommitment,
        bytes32 keyCommitment,
        bytes32 seedTip,
        bytes calldata sealedLocator
    ) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Accepted);
        _checkCaller(jobId, terms.provider);
        _checkInTime(jobId, record.deadline());
        _checkLength(sealedLocator.length, MAX_LOCATOR_BYTES);

        // Effect
        bool optimistic = terms.rule.validators() == 0;
        uint40 deadline = _in(optimistic ? terms.schedule.claim() : terms.schedule.appoint());
        bytes20 submission = _submissionOf(measurementCommitment, _hashOf(keyCommitment, seedTip));
        _records[jobId] = record.to(State.Submitted).until(deadline).withSubmission(submission);
        emit Submitted(jobId, resultRoot, measurementCommitment, keyCommitment, seedTip, deadline, sealedLocator);
    }

    // ── Seat validators

    /// @inheritdoc IJobEscrow
    function appoint(Terms calldata terms, Appointment[] calldata appointments) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Submitted);
        _checkCaller(jobId, terms.requester);
        _checkInTime(jobId, record.deadline());
        uint256 wanted = terms.rule.validators();
        if (wanted == 0) revert JobEscrow_InvalidStatus(jobId, State.Submitted);
        if (appointments.length != wanted) revert JobEscrow_WrongPanelSize(jobId, appointments.length, wanted);

        // Check, Effect: each seat is checked against those already given, so that no account gets two
        uint40 deadline = _in(terms.schedule.commit());
        record = record.to(State.Validating).until(deadline).with(NAMED);
        _records[jobId] = record.plus(wanted * (SEATS + PENDING + OCCUPIED));
        for (uint256 i = 0; i < wanted; ++i) {
            address validator = appointments[i].validator;
            if (!_isEligible(jobId, terms, validator)) revert JobEscrow_NotEligible(jobId, validator);
            _checkLength(appointments[i].sealedLocator.length, MAX_LOCATOR_BYTES);
            _seats[jobId][validator] = Seat(SeatStatus.Appointed, Round.First, 0);
            emit Appointed(jobId, validator, false, deadline, appointments[i].sealedLocator);
        }

        // Interaction: the registry calls nothing in turn, so no guard
        for (uint256 i = 0; i < wanted; ++i) {
            registry.lock(appointments[i].validator, terms.validatorStake, Role.Validator, false);
        }
    }

    /// @inheritdoc IJobEscrow
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

    /// @inheritdoc IJobEscrow
    function revealSeed(Terms calldata terms, bytes32 maskHash, bytes32 seed) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Validating);
        _checkCaller(jobId, terms.requester);
        if (record.count(TO_DRAW) == 0 || record.has(SEEDED)) revert JobEscrow_NothingToDraw(jobId);
        _checkInTime(jobId, record.deadline());

        // Check, Effect
        _records[jobId] = _seed(jobId, terms, record, maskHash, seed);
    }

    /// @inheritdoc IJobEscrow
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

    /// @inheritdoc IJobEscrow
    function commit(Terms calldata terms, bytes32 commitment) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Validating);
        Seat storage seat = _checkSeat(jobId, msg.sender, SeatStatus.Appointed);
        _checkInTime(jobId, record.deadline());

        // Effect
        seat.status = SeatStatus.Committed;
        seat.commitment = bytes30(commitment);
        record = _closeCommitments(jobId, terms, record.minus(PENDING));
        _records[jobId] = record;
        emit Committed(jobId, msg.sender, commitment, _uncommitted(record), record.deadline());
    }

    /// @inheritdoc IJobEscrow
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

    /// @inheritdoc IJobEscrow
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

    /// @inheritdoc IJobEscrow
    function reveal(
        Terms calldata terms,
        Measurement calldata own,
        Measurement calldata providers,
        bytes32 secretsCommitment
    ) external {
        // Check
        (bytes32 jobId, Record record) = _loadRevealing(terms);
        _checkInTime(jobId, record.deadline());

        // Check, Effect
        uint256 waiting = _waitingIn(record);
        Finding memory mine = _openSeat(jobId, record, own);
        record = record.plus(REVEALED);
        Finding memory theirs;
        if (record.has(DISCLOSED)) {
            theirs = _disclosed[jobId];
        } else {
            theirs = _openProvider(jobId, terms, record, providers, secretsCommitment);
            record = _countWaiting(jobId, terms.rule, record.with(DISCLOSED), theirs, waiting);
        }
        record = _vote(jobId, terms.rule, record, mine, theirs);
        _records[jobId] = _judgeIfComplete(jobId, terms, record);
    }

    /// @inheritdoc IJobEscrow
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

    /// @inheritdoc IJobEscrow
    function disclose(Terms calldata terms, Measurement calldata providers, bytes32 secretsCommitment) external {
        // Check
        (bytes32 jobId, Record record) = _loadRevealing(terms);
        if (record.has(DISCLOSED)) revert JobEscrow_AlreadyDisclosed(jobId);
        _checkInTime(jobId, _disclosureDeadline(terms, record));

        // Check, Effect
        Finding memory theirs = _openProvider(jobId, terms, record, providers, secretsCommitment);
        record = _countWaiting(jobId, terms.rule, record.with(DISCLOSED), theirs, _waitingIn(record));
        _records[jobId] = _judgeIfComplete(jobId, terms, record);
    }

    /// @inheritdoc IJobEscrow
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

    // ── Claim and dispute

    /// @inheritdoc IJobEscrow
    function claim(
        Terms calldata terms,
        bytes32 blindedKey,
        bytes32 measurementCommitment,
        bytes32 seedTip,
        address[] calldata panel
    ) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms);
        _checkCaller(jobId, terms.provider);
        State state = record.state();
        bool optimistic = state == State.Submitted && terms.rule.validators() == 0;
        if (!optimistic && (state != State.Validated || record.has(CHALLENGED))) {
            revert JobEscrow_InvalidStatus(jobId, state);
        }
        _checkInTime(jobId, record.deadline());
        bytes32 secretsCommitment = _hashOf(_hashOf(jobId, blindedKey), seedTip);
        if (record.submission() != _submissionOf(measurementCommitment, secretsCommitment)) {
            revert JobEscrow_KeyMismatch(jobId);
        }

        if (optimistic || record.has(ONE_SIDED)) {
            // Effect
            uint40 deadline = _in(terms.schedule.challenge());
            _records[jobId] = record.to(State.Claimed).until(deadline);
            emit Claimed(jobId, blindedKey, deadline);
        } else {
            // Effect, Interaction
            emit Claimed(jobId, blindedKey, 0);
            _settle(jobId, terms, record, panel);
        }
    }

    /// @inheritdoc IJobEscrow
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

    /// @inheritdoc IJobEscrow
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

    /// @inheritdoc IJobEscrow
    function settle(Terms calldata terms, address[] calldata panel) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms);
        State state = record.state();
        bool stands = record.has(CHALLENGED) && state == State.Validated
            || state == State.Inconclusive && record.round() == Round.Challenge;
        if (state == State.Claimed) {
            if (msg.sender != terms.requester) _checkOver(jobId, record.deadline());
            stands = true;
        } else if (!stands && state != State.Rejected && state != State.Inconclusive) {
            revert JobEscrow_InvalidStatus(jobId, state);
        } else if (_isAppealable(record)) {
            _checkOver(jobId, record.deadline());
        }

        // Effect, Interaction
        if (stands) _settle(jobId, terms, record, panel);
        else if (state == State.Inconclusive) _refund(jobId, terms, record, panel, Cause.Inconclusive);
        else _refund(jobId, terms, record, panel, record.has(DISCLOSED) ? Cause.Rejected : Cause.Hid);
    }

    /// @inheritdoc IJobEscrow
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
        _refund(jobId, terms, record, panel, state == State.Accepted ? Cause.RunMissed : Cause.ClaimMissed);
    }

    // ── Rate and withdraw

    /// @inheritdoc IJobEscrow
    function rate(Terms calldata terms, address subject, uint8 score) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms);
        State state = record.state();
        if (state != State.Settled && state != State.Refunded) revert JobEscrow_InvalidStatus(jobId, state);

        // Check, Effect: who rates whom decides which mark must not be set yet
        Role role = Role.Validator;
        if (msg.sender == terms.requester && subject == terms.provider) {
            role = Role.Provider;
            _rateOnce(jobId, record, REQUESTER_RATED);
        } else if (msg.sender == terms.provider && subject == terms.requester) {
            role = Role.Requester;
            _rateOnce(jobId, record, PROVIDER_RATED);
        } else {
            _checkCaller(jobId, terms.requester);
            _markRated(jobId, subject);
        }
        emit Rated(jobId, msg.sender, subject, role, score);

        // Interaction: the rating calls nothing in turn, so no guard
        rating.rate(subject, role, score);
    }

    /// @inheritdoc IJobEscrow
    function withdraw(address token) external nonReentrant returns (uint256 amount) {
        // Check
        amount = owed[msg.sender][token];
        if (amount == 0) revert JobEscrow_NothingOwed(msg.sender, token);

        // Effect
        owed[msg.sender][token] = 0;
        emit Withdrawn(msg.sender, token, amount);

        // Interaction
        _pay(token, msg.sender, amount);
    }

    // ── Read

    /// @inheritdoc IJobEscrow
    function jobIdOf(Terms calldata terms) external view returns (bytes32) {
        return _idOf(terms);
    }

    /// @inheritdoc IJobEscrow
    function recordOf(bytes32 jobId) external view returns (Record) {
        return _records[jobId];
    }

    /// @inheritdoc IJobEscrow
    function seatOf(bytes32 jobId, address validator) external view returns (SeatStatus) {
        return _seats[jobId][validator].status;
    }

    // ── Steps that only one call takes

    function _isValid(Terms calldata terms) private view returns (bool) {
        return terms.rule.isCanonical() && terms.schedule.isCanonical() && terms.rule.validators() <= MAX_VALIDATORS
            && terms.validatorStake <= MAX_VALIDATOR_STAKE && terms.provider != address(0)
            && terms.provider != terms.requester;
    }

    function _rateOnce(bytes32 jobId, Record record, uint256 flag) private {
        if (record.has(flag)) revert JobEscrow_AlreadyRated(jobId, msg.sender);
        _records[jobId] = record.with(flag);
    }

    /// @dev Only a validator that revealed can be scored.
    function _markRated(bytes32 jobId, address validator) private {
        Seat storage seat = _seats[jobId][validator];
        SeatStatus status = seat.status;
        if (status == SeatStatus.Rated) revert JobEscrow_AlreadyRated(jobId, msg.sender);
        if (status != SeatStatus.Revealed && status != SeatStatus.Passed && status != SeatStatus.Failed) {
            revert JobEscrow_WrongSeat(jobId, validator, status);
        }
        seat.status = SeatStatus.Rated;
    }

    /// @dev The panel of a job that never had one.
    function _emptyPanel() private pure returns (address[] calldata panel) {
        assembly ("memory-safe") {
            panel.offset := 0
            panel.length := 0
        }
    }
}
