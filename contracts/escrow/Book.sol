// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IJobEscrow, SeatStatus, State} from "../interfaces/IJobEscrow.sol";
import {IProviderRating} from "../interfaces/IProviderRating.sol";
import {IProviderRegistry} from "../interfaces/IProviderRegistry.sol";
import {ProviderRating} from "../ProviderRating.sol";
import {ProviderRegistry} from "../ProviderRegistry.sol";
import {Ledger} from "./Ledger.sol";

/// @notice What is stored of jobs, and the checks that every step shares. A job is one slot, its submission a
/// second, each validator's seat one more. A step loads the job, changes the copy, and saves it once, before
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

    mapping(bytes32 jobId => Job) internal _jobs;
    /// keccak256 of both commitments of the provider.
    mapping(bytes32 jobId => bytes32) internal _submissions;
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
        return _jobs[jobId];
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

    function _idOf(Terms calldata terms) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), terms));
    }

    /// @dev The job, which must be in `state`.
    function _load(Terms calldata terms, State state) internal view returns (bytes32 jobId, Job memory current) {
        (jobId, current) = _load(terms);
        if (current.state != state) revert JobEscrow_InvalidStatus(jobId, current.state);
    }

    function _load(Terms calldata terms) internal view returns (bytes32 jobId, Job memory current) {
        jobId = _idOf(terms);
        current = _jobs[jobId];
    }

    function _save(bytes32 jobId, Job memory current) internal {
        _jobs[jobId] = current;
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
