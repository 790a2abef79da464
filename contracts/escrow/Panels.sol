// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IJobEscrow, SeatStatus, State, Verdict} from "../interfaces/IJobEscrow.sol";
import {Role} from "../interfaces/IProviderRating.sol";
import {APPEALED, OCCUPIED, PENDING, REPLACED, Record, SEATS, TO_DRAW, VACANT} from "../libraries/Record.sol";
import {Book} from "./Book.sol";

/// @notice Who validates a job: appointed by the requester or drawn, committed, stood down, replaced.
abstract contract Panels is Book {
    /// Members of the pool that a draw looks at for one seat.
    uint256 private constant PROBES = 12;

    /// @inheritdoc IJobEscrow
    function appoint(Terms calldata terms, Appointment[] calldata appointments) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Submitted);
        _checkCaller(jobId, terms.requester);
        _checkInTime(jobId, record.clock());
        uint256 wanted = terms.rule.validators();
        if (wanted == 0) revert JobEscrow_InvalidStatus(jobId, State.Submitted);
        if (appointments.length != wanted) revert JobEscrow_WrongPanelSize(jobId, appointments.length, wanted);

        // Effect
        uint40 deadline = _in(terms.schedule.commit());
        _records[jobId] = record.to(State.Validating).until(deadline).plus(wanted * (SEATS + PENDING + OCCUPIED));
        for (uint256 i = 0; i < wanted; ++i) {
            address validator = appointments[i].validator;
            if (!_isEligible(jobId, terms, validator)) revert JobEscrow_NotEligible(jobId, validator);
            _checkLength(appointments[i].sealedLocator.length, MAX_LOCATOR_BYTES);
            _seats[jobId][validator] = Seat(SeatStatus.Appointed, false, 0);
            emit Appointed(jobId, validator, false, deadline, appointments[i].sealedLocator);
        }

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
        (bytes32 jobId, Record record) = _load(terms);
        uint8 seats = record.count(TO_DRAW);
        if (record.state() == State.Submitted) {
            // Check
            seats = terms.rule.validators();
            if (seats == 0) revert JobEscrow_NothingToDraw(jobId);
            _checkOver(jobId, record.clock());

            // Effect
            _records[jobId] = _schedule(jobId, record.to(State.Validating), seats);
            return;
        }

        // Check
        if (record.state() != State.Validating) revert JobEscrow_InvalidStatus(jobId, record.state());
        if (seats == 0) revert JobEscrow_NothingToDraw(jobId);
        if (block.number <= record.clock()) revert JobEscrow_SeedPending(jobId, record.clock());

        // Effect
        bytes32 seed = blockhash(record.clock());
        record = record.clear(TO_DRAW);
        _records[jobId] = seed == 0 ? _schedule(jobId, record, seats) : _fill(jobId, terms, record, seats, seed);
    }

    /// @inheritdoc IJobEscrow
    function dismiss(Terms calldata terms, address[] calldata missing) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Validating);
        if (record.count(PENDING) == 0) revert JobEscrow_WrongPanelSize(jobId, missing.length, 0);
        _checkOver(jobId, record.clock());

        // Effect
        for (uint256 i = 0; i < missing.length; ++i) {
            record = _vacate(jobId, record, missing[i], SeatStatus.Dismissed);
        }
        record = _closeCommitments(jobId, terms, record);
        _records[jobId] = record;
        for (uint256 i = 0; i < missing.length; ++i) {
            emit Dismissed(jobId, missing[i], _uncommitted(record), _deadlineOf(record));
        }

        // Interaction
        for (uint256 i = 0; i < missing.length; ++i) {
            registry.unlock(missing[i], terms.validatorStake);
        }
    }

    /// @inheritdoc IJobEscrow
    function commit(Terms calldata terms, bytes32 commitment) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Validating);
        Seat storage seat = _checkSeat(jobId, msg.sender, SeatStatus.Appointed);
        _checkInTime(jobId, record.clock());

        // Effect
        seat.status = SeatStatus.Committed;
        seat.commitment = bytes30(commitment);
        record = _closeCommitments(jobId, terms, record.minus(PENDING));
        _records[jobId] = record;

        emit Committed(jobId, msg.sender, commitment, _uncommitted(record), _deadlineOf(record));
    }

    /// @inheritdoc IJobEscrow
    function abstain(Terms calldata terms, bytes calldata reason) external {
        // Check
        (bytes32 jobId, Record record) = _load(terms, State.Validating);
        _checkInTime(jobId, record.clock());
        _checkLength(reason.length, MAX_REASON_BYTES);

        // Effect
        record = _closeCommitments(jobId, terms, _vacate(jobId, record, msg.sender, SeatStatus.Abstained));
        _records[jobId] = record;

        emit Abstained(jobId, msg.sender, reason, _uncommitted(record), _deadlineOf(record));

        // Interaction
        registry.unlock(msg.sender, terms.validatorStake);
    }

    /// @dev Ends the round with a verdict; see {Verdicts}.
    function _judge(bytes32 jobId, Terms calldata terms, Record record, Verdict verdict)
        internal
        virtual
        returns (Record);

    /// @dev Fixes, before anybody can know it, what decides who is drawn.
    function _schedule(bytes32 jobId, Record record, uint8 seats) internal returns (Record) {
        uint40 seedBlock = uint40(block.number + DRAW_DELAY);
        emit DrawScheduled(jobId, seats, seedBlock);
        return record.fill(TO_DRAW, seats).until(seedBlock);
    }

    function _checkSeat(bytes32 jobId, address validator, SeatStatus status) internal view returns (Seat storage seat) {
        seat = _seats[jobId][validator];
        if (seat.status != status) revert JobEscrow_WrongSeat(jobId, validator, seat.status);
    }

    /// @dev Seats as many as the pool gives. For each seat it walks on from a random place, so that a member
    /// that cannot serve costs no seat. The registry calls nobody back.
    function _fill(bytes32 jobId, Terms calldata terms, Record record, uint256 wanted, bytes32 seed)
        private
        returns (Record)
    {
        uint256 fee = terms.token == address(0) ? terms.validatorFee : type(uint256).max;
        uint40 deadline = _in(terms.schedule.commit());
        record = record.until(deadline);
        for (uint256 i = 0; i < wanted; ++i) {
            uint256 place = uint256(keccak256(abi.encode(seed, jobId, i))) >> 8;
            for (uint256 probe = 0; probe < PROBES; ++probe) {
                address validator = registry.candidate(place + probe, terms.validatorStake, fee);
                if (validator == address(0) || !_isEligible(jobId, terms, validator)) continue;
                record = record.plus(SEATS + PENDING + OCCUPIED);
                _seats[jobId][validator] = Seat(SeatStatus.Appointed, record.has(APPEALED), 0);
                emit Appointed(jobId, validator, true, deadline, "");
                registry.lock(validator, terms.validatorStake, Role.Validator);
                break;
            }
        }
        return _closeCommitments(jobId, terms, record);
    }

    function _vacate(bytes32 jobId, Record record, address validator, SeatStatus status) private returns (Record) {
        _checkSeat(jobId, validator, SeatStatus.Appointed).status = status;
        return record.minus(SEATS + PENDING).plus(VACANT);
    }

    /// @dev Once nobody is pending: refills seats that were left, the first time; else opens the reveal phase, or
    /// ends the round when nobody is there to reveal.
    function _closeCommitments(bytes32 jobId, Terms calldata terms, Record record) private returns (Record) {
        if (record.count(PENDING) != 0) return record;
        uint8 vacant = record.count(VACANT);
        if (vacant != 0 && !record.has(REPLACED)) {
            return _schedule(jobId, record.clear(VACANT).with(REPLACED), vacant);
        }
        if (record.count(SEATS) == 0) return _judge(jobId, terms, record, Verdict.Inconclusive);
        return record.until(_in(terms.schedule.reveal()));
    }

    function _isEligible(bytes32 jobId, Terms calldata terms, address account) private view returns (bool) {
        return account != terms.requester && account != terms.provider
            && _seats[jobId][account].status == SeatStatus.None;
    }

    /// @dev Seats that have yet to commit, those to be drawn included.
    function _uncommitted(Record record) private pure returns (uint8) {
        return record.count(PENDING) + record.count(TO_DRAW);
    }

    /// @dev Zero while seats are to be drawn.
    function _deadlineOf(Record record) private pure returns (uint40) {
        return record.count(TO_DRAW) == 0 ? record.clock() : 0;
    }
}
