// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Cause, IJobEscrow, SeatStatus, State} from "./interfaces/IJobEscrow.sol";
import {Role} from "./interfaces/IProviderRating.sol";
import {Book} from "./escrow/Book.sol";
import {Closing} from "./escrow/Closing.sol";

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
        Job memory current;
        (jobId, current) = _load(terms);
        _checkCaller(jobId, terms.requester);
        if (current.state != State.None) revert JobEscrow_AlreadyPosted(jobId);
        if (!_isValid(terms)) revert JobEscrow_InvalidTerms();
        _checkInTime(jobId, terms.schedule.acceptBy());
        _checkLength(sealedLocator.length, MAX_LOCATOR_BYTES);

        // Effect
        current.state = State.Posted;
        current.deadline = terms.schedule.acceptBy();
        _save(jobId, current);

        emit Posted(jobId, terms.requester, terms.provider, terms, sealedLocator);

        // Interaction
        _take(terms.token, terms.price + _feesOf(terms));
    }

    /// @inheritdoc IJobEscrow
    function cancel(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Job memory current) = _load(terms, State.Posted);
        if (msg.sender != terms.requester) _checkOver(jobId, current.deadline);

        // Effect
        current.state = State.Cancelled;
        current.deadline = 0;
        _save(jobId, current);
        _credit(terms.requester, terms.token, terms.price + _feesOf(terms));

        emit Cancelled(jobId);
    }

    /// @inheritdoc IJobEscrow
    function accept(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Job memory current) = _load(terms, State.Posted);
        _checkCaller(jobId, terms.provider);
        _checkInTime(jobId, current.deadline);

        // Effect
        current.state = State.Accepted;
        current.deadline = _in(terms.schedule.run());
        _save(jobId, current);

        emit Accepted(jobId, current.deadline);

        // Interaction
        registry.lock(terms.provider, terms.providerStake, Role.Provider);
    }

    /// @inheritdoc IJobEscrow
    function release(Terms calldata terms, bytes calldata reason) external {
        // Check
        (bytes32 jobId, Job memory current) = _load(terms, State.Accepted);
        _checkCaller(jobId, terms.provider);
        _checkInTime(jobId, current.deadline);
        _checkLength(reason.length, MAX_REASON_BYTES);

        emit Released(jobId, reason);

        // Effect, Interaction
        _refund(jobId, terms, current, _nobody(), Cause.Released);
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
        (bytes32 jobId, Job memory current) = _load(terms, State.Accepted);
        _checkCaller(jobId, terms.provider);
        _checkInTime(jobId, current.deadline);
        _checkLength(sealedLocator.length, MAX_LOCATOR_BYTES);

        // Effect
        bool optimistic = terms.rule.validators() == 0;
        current.state = State.Submitted;
        current.deadline = _in(optimistic ? terms.schedule.claim() : terms.schedule.appoint());
        _save(jobId, current);
        _submissions[jobId] = keccak256(abi.encode(measurementCommitment, keyCommitment));

        emit Submitted(jobId, resultRoot, measurementCommitment, keyCommitment, current.deadline, sealedLocator);
    }

    /// @inheritdoc IJobEscrow
    function claim(
        Terms calldata terms,
        bytes32 blindedKey,
        bytes32 measurementCommitment,
        address[] calldata panel
    ) external {
        // Check
        (bytes32 jobId, Job memory current) = _load(terms);
        _checkCaller(jobId, terms.provider);
        bool optimistic = current.state == State.Submitted && terms.rule.validators() == 0;
        if (!optimistic && (current.state != State.Validated || current.challenged)) {
            revert JobEscrow_InvalidStatus(jobId, current.state);
        }
        _checkInTime(jobId, current.deadline);
        bytes32 keyCommitment = keccak256(abi.encode(jobId, blindedKey));
        if (_submissions[jobId] != keccak256(abi.encode(measurementCommitment, keyCommitment))) {
            revert JobEscrow_KeyMismatch(jobId);
        }

        // Effect, Interaction
        if (optimistic) {
            current.state = State.Claimed;
            current.deadline = _in(terms.schedule.challenge());
            _save(jobId, current);
            emit Claimed(jobId, blindedKey, current.deadline);
        } else {
            emit Claimed(jobId, blindedKey, 0);
            _settle(jobId, terms, current, panel);
        }
    }

    /// @inheritdoc IJobEscrow
    function challenge(Terms calldata terms) external payable {
        // Check
        (bytes32 jobId, Job memory current) = _load(terms, State.Claimed);
        _checkCaller(jobId, terms.requester);
        _checkInTime(jobId, current.deadline);

        // Effect
        current.challenged = true;
        current.state = State.Validating;
        emit Challenged(jobId, bondOf(terms));
        _schedule(jobId, current, PANEL);
        _save(jobId, current);

        // Interaction
        _take(terms.token, bondOf(terms));
    }

    /// @inheritdoc IJobEscrow
    function appeal(Terms calldata terms) external payable {
        // Check
        (bytes32 jobId, Job memory current) = _load(terms, State.Rejected);
        _checkCaller(jobId, terms.provider);
        if (!_isAppealable(current)) revert JobEscrow_NoAppeal(jobId);
        _checkInTime(jobId, current.deadline);

        // Effect: a new round; of the old one remain its seats
        current.appealed = true;
        current.state = State.Validating;
        current.disclosed = false;
        current.replaced = false;
        current.seats = 0;
        current.vacant = 0;
        current.revealed = 0;
        current.passes = 0;
        current.fails = 0;
        emit Appealed(jobId, bondOf(terms));
        _schedule(jobId, current, PANEL);
        _save(jobId, current);

        // Interaction
        _take(terms.token, bondOf(terms));
    }

    /// @inheritdoc IJobEscrow
    function settle(Terms calldata terms, address[] calldata panel) external {
        (bytes32 jobId, Job memory current) = _load(terms);
        if (current.state == State.Claimed) {
            if (msg.sender != terms.requester) _checkOver(jobId, current.deadline);
            _settle(jobId, terms, current, panel);
        } else if (current.state == State.Rejected) {
            if (_isAppealable(current)) _checkOver(jobId, current.deadline);
            _refund(jobId, terms, current, panel, current.disclosed ? Cause.Rejected : Cause.Hid);
        } else if (current.challenged && (current.state == State.Validated || current.state == State.Inconclusive)) {
            _settle(jobId, terms, current, panel);
        } else if (current.state == State.Inconclusive) {
            _refund(jobId, terms, current, panel, Cause.Inconclusive);
        } else {
            revert JobEscrow_InvalidStatus(jobId, current.state);
        }
    }

    /// @inheritdoc IJobEscrow
    function expire(Terms calldata terms, address[] calldata panel) external {
        (bytes32 jobId, Job memory current) = _load(terms);
        Cause cause = Cause.ClaimMissed;
        if (current.state == State.Accepted) {
            cause = Cause.RunMissed;
        } else if (current.state == State.Submitted) {
            if (terms.rule.validators() != 0) revert JobEscrow_InvalidStatus(jobId, current.state);
        } else if (current.state != State.Validated || current.challenged) {
            revert JobEscrow_InvalidStatus(jobId, current.state);
        }
        _checkOver(jobId, current.deadline);
        _refund(jobId, terms, current, panel, cause);
    }

    /// @inheritdoc IJobEscrow
    function rate(Terms calldata terms, address subject, uint8 score) external {
        // Check
        (bytes32 jobId, Job memory current) = _load(terms);
        if (current.state != State.Settled && current.state != State.Refunded) {
            revert JobEscrow_InvalidStatus(jobId, current.state);
        }

        // Check, Effect
        Role role = Role.Validator;
        if (msg.sender == terms.requester && subject == terms.provider) {
            if (current.requesterRated) revert JobEscrow_AlreadyRated(jobId, msg.sender);
            role = Role.Provider;
            current.requesterRated = true;
            _save(jobId, current);
        } else if (msg.sender == terms.provider && subject == terms.requester) {
            if (current.providerRated) revert JobEscrow_AlreadyRated(jobId, msg.sender);
            role = Role.Requester;
            current.providerRated = true;
            _save(jobId, current);
        } else {
            _checkCaller(jobId, terms.requester);
            _markRated(jobId, subject);
        }

        emit Rated(jobId, msg.sender, subject, role, score);

        // Interaction
        rating.rate(subject, role, score);
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
