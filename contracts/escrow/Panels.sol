// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IJobEscrow, SeatStatus, State, Verdict} from "../interfaces/IJobEscrow.sol";
import {Role} from "../interfaces/IProviderRating.sol";
import {Book} from "./Book.sol";

/// @notice Who validates a job: appointed by the requester or drawn, committed, stood down, replaced.
abstract contract Panels is Book {
    /// Members of the pool that a draw looks at for one seat.
    uint256 private constant PROBES = 12;

    /// @inheritdoc IJobEscrow
    function appoint(Terms calldata terms, Appointment[] calldata appointments) external {
        // Check
        (bytes32 jobId, Job memory current) = _load(terms, State.Submitted);
        _checkCaller(jobId, terms.requester);
        _checkInTime(jobId, current.deadline);
        uint256 wanted = terms.rule.validators();
        if (wanted == 0) revert JobEscrow_InvalidStatus(jobId, State.Submitted);
        if (appointments.length != wanted) revert JobEscrow_WrongPanelSize(jobId, appointments.length, wanted);

        // Effect
        current.state = State.Validating;
        current.deadline = _in(terms.schedule.commit());
        for (uint256 i = 0; i < wanted; ++i) {
            address validator = appointments[i].validator;
            if (!_isEligible(jobId, terms, validator)) revert JobEscrow_NotEligible(jobId, validator);
            _checkLength(appointments[i].sealedLocator.length, MAX_LOCATOR_BYTES);
            _seat(jobId, current, validator);
            emit Appointed(jobId, validator, false, current.deadline, appointments[i].sealedLocator);
        }
        _save(jobId, current);

        // Interaction
        for (uint256 i = 0; i < wanted; ++i) {
            registry.lock(appointments[i].validator, terms.validatorStake, Role.Validator);
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

        emit HandedOver(jobId, validator, msg.sender, sealedLocator);
    }

    /// @inheritdoc IJobEscrow
    function draw(Terms calldata terms) external {
        (bytes32 jobId, Job memory current) = _load(terms);
        if (current.state == State.Submitted) {
            // Check
            if (terms.rule.validators() == 0) revert JobEscrow_NothingToDraw(jobId);
            _checkOver(jobId, current.deadline);

            // Effect
            current.state = State.Validating;
            _schedule(jobId, current, terms.rule.validators());
            _save(jobId, current);
            return;
        }

        // Check
        if (current.state != State.Validating) revert JobEscrow_InvalidStatus(jobId, current.state);
        if (current.toDraw == 0) revert JobEscrow_NothingToDraw(jobId);
        if (block.number <= current.seedBlock) revert JobEscrow_SeedPending(jobId, current.seedBlock);

        // Effect
        bytes32 seed = blockhash(current.seedBlock);
        if (seed == 0) {
            _schedule(jobId, current, current.toDraw);
        } else {
            _fill(jobId, terms, current, seed);
        }
        _save(jobId, current);
    }

    /// @inheritdoc IJobEscrow
    function dismiss(Terms calldata terms, address[] calldata missing) external {
        // Check
        (bytes32 jobId, Job memory current) = _load(terms, State.Validating);
        if (current.pending == 0) revert JobEscrow_WrongPanelSize(jobId, missing.length, 0);
        _checkOver(jobId, current.deadline);

        // Effect
        for (uint256 i = 0; i < missing.length; ++i) {
            _vacate(jobId, current, missing[i], SeatStatus.Dismissed);
        }
        _closeCommitments(jobId, terms, current);
        _save(jobId, current);
        for (uint256 i = 0; i < missing.length; ++i) {
            emit Dismissed(jobId, missing[i], current.pending + current.toDraw, current.deadline);
        }

        // Interaction
        for (uint256 i = 0; i < missing.length; ++i) {
            registry.unlock(missing[i], terms.validatorStake);
        }
    }

    /// @inheritdoc IJobEscrow
    function commit(Terms calldata terms, bytes32 commitment) external {
        // Check
        (bytes32 jobId, Job memory current) = _load(terms, State.Validating);
        Seat storage seat = _checkSeat(jobId, msg.sender, SeatStatus.Appointed);
        _checkInTime(jobId, current.deadline);

        // Effect
        seat.status = SeatStatus.Committed;
        seat.commitment = bytes30(commitment);
        --current.pending;
        _closeCommitments(jobId, terms, current);
        _save(jobId, current);

        emit Committed(jobId, msg.sender, commitment, current.pending + current.toDraw, current.deadline);
    }

    /// @inheritdoc IJobEscrow
    function abstain(Terms calldata terms, bytes calldata reason) external {
        // Check
        (bytes32 jobId, Job memory current) = _load(terms, State.Validating);
        _checkInTime(jobId, current.deadline);
        _checkLength(reason.length, MAX_REASON_BYTES);

        // Effect
        _vacate(jobId, current, msg.sender, SeatStatus.Abstained);
        _closeCommitments(jobId, terms, current);
        _save(jobId, current);

        emit Abstained(jobId, msg.sender, reason, current.pending + current.toDraw, current.deadline);

        // Interaction
        registry.unlock(msg.sender, terms.validatorStake);
    }

    /// @dev Ends the round with a verdict; see {Verdicts}.
    function _judge(bytes32 jobId, Terms calldata terms, Job memory current, Verdict verdict) internal virtual;

    /// @dev Fixes, before anybody can know it, what decides who is drawn.
    function _schedule(bytes32 jobId, Job memory current, uint8 seats) internal {
        current.toDraw = seats;
        current.seedBlock = uint40(block.number + DRAW_DELAY);
        emit DrawScheduled(jobId, seats, current.seedBlock);
    }

    function _checkSeat(bytes32 jobId, address validator, SeatStatus status) internal view returns (Seat storage seat) {
        seat = _seats[jobId][validator];
        if (seat.status != status) revert JobEscrow_WrongSeat(jobId, validator, seat.status);
    }

    /// @dev Seats as many as the pool gives. For each seat it walks on from a random place, so that a member
    /// that cannot serve costs no seat.
    function _fill(bytes32 jobId, Terms calldata terms, Job memory current, bytes32 seed) private {
        uint256 wanted = current.toDraw;
        uint256 fee = terms.token == address(0) ? terms.validatorFee : type(uint256).max;
        current.toDraw = 0;
        current.deadline = _in(terms.schedule.commit());
        for (uint256 i = 0; i < wanted; ++i) {
            uint256 place = uint256(keccak256(abi.encode(seed, jobId, i))) >> 8;
            for (uint256 probe = 0; probe < PROBES; ++probe) {
                address validator = registry.candidate(place + probe, terms.validatorStake, fee);
                if (validator == address(0) || !_isEligible(jobId, terms, validator)) continue;
                _seat(jobId, current, validator);
                emit Appointed(jobId, validator, true, current.deadline, "");
                registry.lock(validator, terms.validatorStake, Role.Validator);
                break;
            }
        }
        _closeCommitments(jobId, terms, current);
    }

    function _seat(bytes32 jobId, Job memory current, address validator) private {
        _seats[jobId][validator] = Seat(SeatStatus.Appointed, current.appealed, 0);
        ++current.seats;
        ++current.pending;
        ++current.occupied;
    }

    function _vacate(bytes32 jobId, Job memory current, address validator, SeatStatus status) private {
        _checkSeat(jobId, validator, SeatStatus.Appointed).status = status;
        --current.seats;
        --current.pending;
        ++current.vacant;
    }

    /// @dev Once nobody is pending: refills seats that were left, the first time; else opens the reveal phase, or
    /// ends the round when nobody is there to reveal.
    function _closeCommitments(bytes32 jobId, Terms calldata terms, Job memory current) private {
        if (current.pending != 0) return;
        if (current.vacant != 0 && !current.replaced) {
            current.replaced = true;
            _schedule(jobId, current, current.vacant);
            current.vacant = 0;
        } else if (current.seats == 0) {
            _judge(jobId, terms, current, Verdict.Inconclusive);
        } else {
            current.deadline = _in(terms.schedule.reveal());
        }
    }

    function _isEligible(bytes32 jobId, Terms calldata terms, address account) private view returns (bool) {
        return account != terms.requester && account != terms.provider
            && _seats[jobId][account].status == SeatStatus.None;
    }
}
