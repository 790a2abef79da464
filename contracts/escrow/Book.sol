// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IJobEscrow, SeatStatus, State} from "../interfaces/IJobEscrow.sol";
import {IProviderRating} from "../interfaces/IProviderRating.sol";
import {IProviderRegistry} from "../interfaces/IProviderRegistry.sol";
import {ProviderRating} from "../ProviderRating.sol";
import {ProviderRegistry} from "../ProviderRegistry.sol";
import {
    APPEALED,
    CHALLENGED,
    DISCLOSED,
    FAILS,
    PASSES,
    PENDING,
    PROVIDER_RATED,
    REPLACED,
    REQUESTER_RATED,
    REVEALED,
    Record,
    SEATS,
    TO_DRAW,
    VACANT
} from "../libraries/Record.sol";
import {Ledger} from "./Ledger.sol";

/// @notice What is stored of jobs, and the checks that every step shares. A job is one slot, each validator's seat
/// one more. A step loads the record, changes the copy, and saves it once, before
/// it calls anything outside.
abstract contract Book is Ledger {
    /// A validator's place in a job, in one slot.
    struct Seat {
        SeatStatus status;
        /// Given by an appeal's draw.
        bool appellate;
        /// First 30 bytes of the commitment to a measurement.
        bytes30 commitment;
    }

    uint256 internal constant MAX_LOCATOR_BYTES = 1024;
    uint256 internal constant MAX_REASON_BYTES = 256;

    /// @inheritdoc IJobEscrow
    uint8 public constant PANEL = 3;
    /// @inheritdoc IJobEscrow
    uint8 public constant MAX_VALIDATORS = 7;
    /// @inheritdoc IJobEscrow
    uint8 public constant DRAW_DELAY = 2;
    /// @inheritdoc IJobEscrow
    IProviderRegistry public immutable registry;
    /// @inheritdoc IJobEscrow
    IProviderRating public immutable rating;

    mapping(bytes32 jobId => Record) internal _records;
    mapping(bytes32 jobId => mapping(address validator => Seat)) internal _seats;

    constructor(uint256 poolStake, uint256 cooldown) {
        rating = new ProviderRating();
        registry = new ProviderRegistry(rating, poolStake, cooldown);
    }

    /// @dev Slashed stake, which is credited in the same call.
    receive() external payable {
        if (msg.sender != address(registry)) revert JobEscrow_NotRegistry(msg.sender);
    }

    /// @inheritdoc IJobEscrow
    function job(bytes32 jobId) external view returns (Job memory) {
        Record record = _records[jobId];
        uint8 toDraw = record.count(TO_DRAW);
        return Job({
            state: record.state(),
            deadline: toDraw == 0 ? record.clock() : 0,
            seedBlock: toDraw == 0 ? 0 : record.clock(),
            seats: record.count(SEATS),
            pending: record.count(PENDING),
            vacant: record.count(VACANT),
            toDraw: toDraw,
            revealed: record.count(REVEALED),
            passes: record.count(PASSES),
            fails: record.count(FAILS),
            occupied: record.occupied(),
            disclosed: record.has(DISCLOSED),
            replaced: record.has(REPLACED),
            challenged: record.has(CHALLENGED),
            appealed: record.has(APPEALED),
            requesterRated: record.has(REQUESTER_RATED),
            providerRated: record.has(PROVIDER_RATED),
            submission: record.submission()
        });
    }

    /// @inheritdoc IJobEscrow
    function seatOf(bytes32 jobId, address validator) external view returns (SeatStatus) {
        return _seats[jobId][validator].status;
    }

    /// @inheritdoc IJobEscrow
    function jobIdOf(Terms calldata terms) external view returns (bytes32) {
        return _idOf(terms);
    }

    /// @inheritdoc IJobEscrow
    function bondOf(Terms calldata terms) public pure returns (uint256) {
        return uint256(PANEL) * terms.validatorFee;
    }

    /// @dev What the requester locks at posting for validators.
    function _feesOf(Terms calldata terms) internal pure returns (uint256) {
        return uint256(terms.rule.validators()) * terms.validatorFee;
    }

    /// @dev `keccak256(abi.encode(block.chainid, address(this), terms))`. The terms are copied as they lie in
    /// calldata: words with dirty bits name another job, which {post} refuses when it reads them.
    function _idOf(Terms calldata terms) internal view returns (bytes32 jobId) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, chainid())
            mstore(add(free, 0x20), address())
            calldatacopy(add(free, 0x40), terms, 0x180)
            jobId := keccak256(free, 0x1c0)
        }
    }

    /// @dev Both of the provider's commitments in 21 bytes: a pair that collides costs it 2^84 hashes.
    function _submissionOf(bytes32 measurementCommitment, bytes32 keyCommitment) internal pure returns (bytes21) {
        return bytes21(keccak256(abi.encode(measurementCommitment, keyCommitment)));
    }

    function _load(Terms calldata terms) internal view returns (bytes32 jobId, Record record) {
        jobId = _idOf(terms);
        record = _records[jobId];
    }

    /// @dev The job, which must be in `state`.
    function _load(Terms calldata terms, State state) internal view returns (bytes32 jobId, Record record) {
        (jobId, record) = _load(terms);
        if (record.state() != state) revert JobEscrow_InvalidStatus(jobId, record.state());
    }

    function _in(uint256 window) internal view returns (uint40) {
        return uint40(block.timestamp + window);
    }

    function _checkCaller(bytes32 jobId, address party) internal view {
        if (msg.sender != party) revert JobEscrow_NotParty(jobId, msg.sender);
    }

    function _checkInTime(bytes32 jobId, uint256 deadline) internal view {
        if (block.timestamp > deadline) revert JobEscrow_TooLate(jobId, deadline);
    }

    function _checkOver(bytes32 jobId, uint256 deadline) internal view {
        if (block.timestamp <= deadline) revert JobEscrow_TooEarly(jobId, deadline);
    }

    function _checkLength(uint256 length, uint256 limit) internal pure {
        if (length > limit) revert JobEscrow_TooLong(length, limit);
    }
}
