// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Cause, Round, SeatStatus, State} from "./interfaces/IJob.sol";
import {IJobCourse} from "./interfaces/IJobCourse.sol";
import {IJobExceptions} from "./interfaces/IJobExceptions.sol";
import {IProviderRating, Role} from "./interfaces/IProviderRating.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {EscrowPanel} from "./escrow/EscrowPanel.sol";
import {EscrowStorage} from "./escrow/EscrowStorage.sol";
import {
    CHALLENGED,
    DISCLOSED,
    NAMED,
    OCCUPIED,
    ONE_SIDED,
    PENDING,
    PROVIDER_RATED,
    REQUESTER_RATED,
    REVEALED,
    Record,
    SEATS,
    UNMET
} from "./libraries/Record.sol";

/// @title Escrow of jobs: their money, states and verdicts; see {IJobEscrow}
/// @dev The calls of a job's ordinary course, in the order of its life. A call that is not here goes to
/// {JobExceptions}, by `delegatecall` at an address that cannot change: it has the calls that a job seldom needs, so
/// that the usual ones pay nothing for the second contract. {EscrowPanel} has the steps that both share,
/// {EscrowStorage} the storage, the transfers and the checks.
///
/// In each call `Check` reads and reverts, `Effect` writes this contract's storage and emits, `Interaction` calls
/// another contract. Calls to the registry and the rating have no reentrancy guard and need none; {EscrowStorage} says
/// why. A token and a payee can run a stranger's code: they are called last, after all effects, and under the guard.
contract JobEscrow is EscrowPanel, IJobCourse {
    IJobExceptions private immutable EXCEPTIONS;
    uint256 private immutable MAX_VALIDATOR_STAKE;

    /// @dev Registry and rating are deployed before, for this contract's address among others.
    /// @param exceptions Deployed for the same registry and rating.
    constructor(IProviderRegistry registry_, IProviderRating rating_, IJobExceptions exceptions)
        EscrowStorage(registry_, rating_)
    {
        bool listed = registry_.isEscrow(address(this)) && rating_.isEscrow(address(this));
        bool same = address(exceptions.registry()) == address(registry_)
            && address(exceptions.rating()) == address(rating_);
        if (!listed || !same) revert JobEscrow_WrongDeployment();
        EXCEPTIONS = exceptions;
        MAX_VALIDATOR_STAKE = registry_.POOL_STAKE();
    }

    /// @dev Takes the part of a slashed stake that is not burnt; the call that slashes has credited it already.
    receive() external payable {
        // Check
        if (msg.sender != address(registry)) revert JobEscrow_NotRegistry(msg.sender);
    }

    /// @dev All calls of {IJobExceptions}: its code runs on this contract's storage and money.
    fallback() external payable {
        address exceptions = address(EXCEPTIONS);
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, 0, calldatasize())
            let done := delegatecall(gas(), exceptions, free, calldatasize(), 0, 0)
            returndatacopy(free, 0, returndatasize())
            switch done
            case 0 { revert(free, returndatasize()) }
            default { return(free, returndatasize()) }
        }
    }

    // ── Post

    /// @inheritdoc IJobCourse
    function post(Terms calldata terms, bytes32 seedTip, bytes calldata sealedLocator)
        external
        payable
        returns (bytes32 jobId)
    {
        return _post(terms, seedTip, sealedLocator);
    }

    /// @inheritdoc IJobCourse
    function postWithPermit(
        Terms calldata terms,
        bytes32 seedTip,
        bytes calldata sealedLocator,
        Permit calldata permit
    ) external returns (bytes32 jobId) {
        // Check
        if (terms.token.code.length == 0) revert Escrow_NotToken(terms.token);

        // Interaction: before the posting, which is as safe as if the caller had called the token itself
        uint256 amount = terms.price + _feesOf(terms);
        try IERC20Permit(terms.token).permit(
            msg.sender, address(this), amount, permit.deadline, permit.v, permit.r, permit.s
        ) {} catch {}
        return _post(terms, seedTip, sealedLocator);
    }

    // ── Run

    /// @inheritdoc IJobCourse
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

    /// @inheritdoc IJobCourse
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

    // ── Validate

    /// @inheritdoc IJobCourse
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

    /// @inheritdoc IJobCourse
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

    /// @inheritdoc IJobCourse
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
        uint256 waiting = record.count(REVEALED);
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

    // ── Claim and close

    /// @inheritdoc IJobCourse
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

    /// @inheritdoc IJobCourse
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
        else if (state == State.Inconclusive) _refund(jobId, terms, record, panel, Cause.Inconclusive, 0);
        else if (record.has(UNMET)) _refund(jobId, terms, record, panel, Cause.Unmet, terms.rule.effort());
        else _refund(jobId, terms, record, panel, record.has(DISCLOSED) ? Cause.Rejected : Cause.Hid, 0);
    }

    // ── Rate

    /// @inheritdoc IJobCourse
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

    // ── Read

    /// @inheritdoc IJobCourse
    function jobIdOf(Terms calldata terms) external view returns (bytes32) {
        return _idOf(terms);
    }

    /// @inheritdoc IJobCourse
    function recordOf(bytes32 jobId) external view returns (Record) {
        return _records[jobId];
    }

    /// @inheritdoc IJobCourse
    function seatOf(bytes32 jobId, address validator) external view returns (SeatStatus) {
        return _seats[jobId][validator].status;
    }

    // ── Steps that only one call takes

    function _post(Terms calldata terms, bytes32 seedTip, bytes calldata sealedLocator)
        private
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
        bool voted = status == SeatStatus.Passed || status == SeatStatus.Failed || status == SeatStatus.Unmet;
        if (!voted && status != SeatStatus.Revealed) {
            revert JobEscrow_WrongSeat(jobId, validator, status);
        }
        seat.status = SeatStatus.Rated;
    }
}
