// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Cause, IJobEscrow, SeatStatus, State} from "./interfaces/IJobEscrow.sol";
import {Role} from "./interfaces/IProviderRating.sol";
import {Book} from "./escrow/Book.sol";
import {Closing} from "./escrow/Closing.sol";
import {APPEALED, CHALLENGED, DISCLOSED, PROVIDER_RATED, REQUESTER_RATED, Record} from "./libraries/Record.sol";

/// @title Money, states and verdicts of jobs; see {IJobEscrow}
/// @dev The life of a job, in order. Its parts: {Ledger} keeps the money, {Book} the jobs, {Panels} seats the
/// validators, {Verdicts} counts what they found, {Closing} pays.
contract JobEscrow is Closing {
    /// @param poolStake Stake that a validator needs to be drawn, in the coin.
    /// @param cooldown Seconds that a stake takes to leave.
    constructor(uint256 poolStake, uint256 cooldown) Book(poolStake, cooldown) {}

    /// @inheritdoc IJobEscrow
    function post(Terms calldata terms, bytes calldata sealedLocator) external payable returns (bytes32 jobId) {
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

        emit Posted(jobId, terms.requester, terms.provider, terms, sealedLocator);

        // Interaction
        _take(terms.token, terms.price + _feesOf(terms));
    }

    /// @inheritdoc IJobEscrow
    function cancel(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Posted);
        if (msg.sender != terms.requester) _checkOver(jobId, record.clock());

        // Effect
        _records[jobId] = record.to(State.Cancelled).until(0);
        _credit(terms.requester, terms.token, terms.price + _feesOf(terms));

        emit Cancelled(jobId);
    }

    /// @inheritdoc IJobEscrow
    function accept(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Posted);
        _checkCaller(jobId, terms.provider);
        _checkInTime(jobId, record.clock());

        // Effect
        uint40 deadline = _in(terms.schedule.run());
        _records[jobId] = record.to(State.Accepted).until(deadline);

        emit Accepted(jobId, deadline);

        // Interaction
        registry.lock(terms.provider, terms.providerStake, Role.Provider);
    }

    /// @inheritdoc IJobEscrow
    function release(Terms calldata terms, bytes calldata reason) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Accepted);
        _checkCaller(jobId, terms.provider);
        _checkInTime(jobId, record.clock());
        _checkLength(reason.length, MAX_REASON_BYTES);

        emit Released(jobId, reason);

        // Effect, Interaction
        _refund(jobId, terms, record, _nobody(), Cause.Released);
    }

    /// @inheritdoc IJobEscrow
    function submit(
        Terms calldata terms,
        bytes32 resultRoot,
        bytes32 measurementCommitment,
        bytes32 keyCommitment,
        bytes calldata sealedLocator
    ) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Accepted);
        _checkCaller(jobId, terms.provider);
        _checkInTime(jobId, record.clock());
        _checkLength(sealedLocator.length, MAX_LOCATOR_BYTES);

        // Effect
        bool optimistic = terms.rule.validators() == 0;
        uint40 deadline = _in(optimistic ? terms.schedule.claim() : terms.schedule.appoint());
        bytes21 submission = _submissionOf(measurementCommitment, keyCommitment);
        _records[jobId] = record.to(State.Submitted).until(deadline).withSubmission(submission);

        emit Submitted(jobId, resultRoot, measurementCommitment, keyCommitment, deadline, sealedLocator);
    }

    /// @inheritdoc IJobEscrow
    function claim(
        Terms calldata terms,
        bytes32 blindedKey,
        bytes32 measurementCommitment,
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
        _checkInTime(jobId, record.clock());
        bytes32 keyCommitment = keccak256(abi.encode(jobId, blindedKey));
        if (record.submission() != _submissionOf(measurementCommitment, keyCommitment)) {
            revert JobEscrow_KeyMismatch(jobId);
        }

        // Effect, Interaction
        if (optimistic) {
            uint40 deadline = _in(terms.schedule.challenge());
            _records[jobId] = record.to(State.Claimed).until(deadline);
            emit Claimed(jobId, blindedKey, deadline);
        } else {
            emit Claimed(jobId, blindedKey, 0);
            _settle(jobId, terms, record, panel);
        }
    }

    /// @inheritdoc IJobEscrow
    function challenge(Terms calldata terms) external payable {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Claimed);
        _checkCaller(jobId, terms.requester);
        _checkInTime(jobId, record.clock());

        // Effect
        emit Challenged(jobId, bondOf(terms));
        _records[jobId] = _schedule(jobId, record.to(State.Validating).with(CHALLENGED), PANEL);

        // Interaction
        _take(terms.token, bondOf(terms));
    }

    /// @inheritdoc IJobEscrow
    function appeal(Terms calldata terms) external payable {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Rejected);
        _checkCaller(jobId, terms.provider);
        if (!_isAppealable(record)) revert JobEscrow_NoAppeal(jobId);
        _checkInTime(jobId, record.clock());

        // Effect: a new round; of the old one remain its seats
        emit Appealed(jobId, bondOf(terms));
        _records[jobId] = _schedule(jobId, record.anew().to(State.Validating).with(APPEALED), PANEL);

        // Interaction
        _take(terms.token, bondOf(terms));
    }

    /// @inheritdoc IJobEscrow
    function settle(Terms calldata terms, address[] calldata panel) external {
        (bytes32 jobId, Record record) = _load(terms);
        State state = record.state();
        bool challenged = record.has(CHALLENGED);
        if (state == State.Claimed) {
            if (msg.sender != terms.requester) _checkOver(jobId, record.clock());
            _settle(jobId, terms, record, panel);
        } else if (state == State.Rejected) {
            if (_isAppealable(record)) _checkOver(jobId, record.clock());
            _refund(jobId, terms, record, panel, record.has(DISCLOSED) ? Cause.Rejected : Cause.Hid);
        } else if (challenged && (state == State.Validated || state == State.Inconclusive)) {
            _settle(jobId, terms, record, panel);
        } else if (state == State.Inconclusive) {
            _refund(jobId, terms, record, panel, Cause.Inconclusive);
        } else {
            revert JobEscrow_InvalidStatus(jobId, state);
        }
    }

    /// @inheritdoc IJobEscrow
    function expire(Terms calldata terms, address[] calldata panel) external {
        (bytes32 jobId, Record record) = _load(terms);
        State state = record.state();
        bool unclaimed = state == State.Submitted && terms.rule.validators() == 0
            || state == State.Validated && !record.has(CHALLENGED);
        if (state != State.Accepted && !unclaimed) revert JobEscrow_InvalidStatus(jobId, state);
        _checkOver(jobId, record.clock());
        _refund(jobId, terms, record, panel, unclaimed ? Cause.ClaimMissed : Cause.RunMissed);
    }

    /// @inheritdoc IJobEscrow
    function rate(Terms calldata terms, address subject, uint8 score) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms);
        State state = record.state();
        if (state != State.Settled && state != State.Refunded) revert JobEscrow_InvalidStatus(jobId, state);

        // Check, Effect
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

        // Interaction
        rating.rate(subject, role, score);
    }

    function _rateOnce(bytes32 jobId, Record record, uint256 flag) private {
        if (record.has(flag)) revert JobEscrow_AlreadyRated(jobId, msg.sender);
        _records[jobId] = record.with(flag);
    }

    /// @dev A validator that revealed, and was not scored yet.
    function _markRated(bytes32 jobId, address validator) private {
        Seat storage seat = _seats[jobId][validator];
        SeatStatus status = seat.status;
        if (status == SeatStatus.Rated) revert JobEscrow_AlreadyRated(jobId, msg.sender);
        if (status != SeatStatus.Revealed && status != SeatStatus.Passed && status != SeatStatus.Failed) {
            revert JobEscrow_WrongSeat(jobId, validator, status);
        }
        seat.status = SeatStatus.Rated;
    }

    function _isValid(Terms calldata terms) private pure returns (bool) {
        return terms.rule.isCanonical() && terms.schedule.isCanonical() && terms.rule.validators() <= MAX_VALIDATORS
            && terms.provider != address(0) && terms.provider != terms.requester;
    }

    /// @dev The panel of a job that never had one.
    function _nobody() private pure returns (address[] calldata panel) {
        assembly ("memory-safe") {
            panel.offset := 0
            panel.length := 0
        }
    }
}
