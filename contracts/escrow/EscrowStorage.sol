// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IJob, Round, SeatStatus, State} from "../interfaces/IJob.sol";
import {IProviderRating} from "../interfaces/IProviderRating.sol";
import {IProviderRegistry} from "../interfaces/IProviderRegistry.sol";
import {Record} from "../libraries/Record.sol";
import {EscrowMoney} from "./EscrowMoney.sol";

/// @notice The storage of jobs and money, and the checks that calls share. A job is one slot, each validator's seat
/// one more. A call loads the record, changes the copy, and saves it once, before it calls another contract ({draw}
/// excepted: it asks the registry for each seat). Money that is owed leaves only by {withdraw}, so that a payee that
/// refuses it cannot hold up a job.
/// @dev Calls to {registry} and {rating} need no reentrancy guard: both were deployed with this contract and list it,
/// their addresses cannot change, and they run no code but their own. The one call that they make in turn, from
/// `registry.slash`, pays coins to this
/// contract's `receive`, which writes nothing. {EscrowMoney} says where a stranger's code runs.
abstract contract EscrowStorage is IJob, EscrowMoney {
    /// A validator's place in a job, in one slot.
    struct Seat {
        SeatStatus status;
        Round round;
        /// First 30 bytes of the commitment to a measurement.
        bytes30 commitment;
    }

    /// A scheduled draw, in one slot.
    struct Draw {
        /// Unix seconds. The pool is taken as it was then: before either of the draw's seeds could be known.
        uint40 asOf;
        /// First 27 bytes of the hash of the requester's seed; zero until it is revealed.
        bytes27 seed;
    }

    /// An opened measurement, stored while it waits for the one that it is compared with.
    struct Finding {
        address author;
        int64 score;
        bytes32 digest;
    }

    uint256 internal constant MAX_LOCATOR_BYTES = 1024;
    uint256 internal constant MAX_REASON_BYTES = 256;
    uint256 internal constant MAX_LOG_BYTES = 1024;

    /// @inheritdoc IJob
    uint8 public constant PANEL = 3;
    /// @inheritdoc IJob
    uint8 public constant MAX_VALIDATORS = 7;
    /// @inheritdoc IJob
    uint8 public constant COMPENSATION_PERCENT = 10;
    /// @inheritdoc IJob
    IProviderRegistry public immutable registry;
    /// @inheritdoc IJob
    IProviderRating public immutable rating;

    mapping(bytes32 jobId => Record) internal _records;
    mapping(bytes32 jobId => mapping(address validator => Seat)) internal _seats;
    mapping(bytes32 jobId => Draw) internal _draws;
    /// Findings of validators that revealed before the provider's was known.
    mapping(bytes32 jobId => Finding[]) internal _waiting;
    /// The provider's finding, kept only while validators have yet to reveal.
    mapping(bytes32 jobId => Finding) internal _disclosed;

    constructor(IProviderRegistry registry_, IProviderRating rating_) {
        registry = registry_;
        rating = rating_;
    }

    // ── Money

    /// @inheritdoc IJob
    function appealBondOf(Terms calldata terms) public pure returns (uint256) {
        return uint256(PANEL) * terms.validatorFee;
    }

    /// @inheritdoc IJob
    function challengeBondOf(Terms calldata terms) public pure returns (uint256) {
        return appealBondOf(terms) + _depositOf(terms);
    }

    /// @dev The part of a challenge's bond that is burnt when the challenge is lost.
    function _depositOf(Terms calldata terms) internal pure returns (uint256) {
        return terms.price / 2;
    }

    /// @dev The validators' fees that the requester locks when it posts.
    function _feesOf(Terms calldata terms) internal pure returns (uint256) {
        return uint256(terms.rule.validators()) * terms.validatorFee;
    }

    /// @inheritdoc EscrowMoney
    function _payeeFor(address account, address caller) internal view override returns (address) {
        return registry.payeeFor(account, caller);
    }

    // ── Ids and commitments

    /// @dev `keccak256(abi.encode(block.chainid, address(this), terms))`.
    /// @dev Warning: the terms are copied from calldata unread. Words with bits outside their type give the id of
    /// another job; it cannot exist, because {post} reads the terms and reverts on such words.
    function _idOf(Terms calldata terms) internal view returns (bytes32 jobId) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, chainid())
            mstore(add(free, 0x20), address())
            calldatacopy(add(free, 0x40), terms, 0x180)
            jobId := keccak256(free, 0x1c0)
        }
    }

    /// @dev All that the provider committed to, in the 20 bytes that the record has room for. To open it to something
    /// else the provider must find a collision for this one job: 2^80 hashes.
    function _submissionOf(bytes32 measurementCommitment, bytes32 secretsCommitment) internal pure returns (bytes20) {
        return bytes20(_hashOf(measurementCommitment, secretsCommitment));
    }

    function _commitmentOf(bytes32 jobId, address author, Measurement calldata found) internal pure returns (bytes32) {
        return keccak256(abi.encode(jobId, author, found));
    }

    /// @dev The tip of the hash chain whose seed for draw number `draw` is `seed`.
    function _tipOf(bytes32 seed, uint256 draw) internal pure returns (bytes32 tip) {
        tip = seed;
        for (uint256 i = 0; i < draw; ++i) {
            tip = keccak256(abi.encode(tip));
        }
    }

    /// @dev `keccak256(abi.encode(a, b))`, computed in the scratch space: no memory is allocated.
    function _hashOf(bytes32 a, bytes32 b) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, a)
            mstore(0x20, b)
            hash := keccak256(0x00, 0x40)
        }
    }

    // ── Checks

    function _load(Terms calldata terms) internal view returns (bytes32 jobId, Record record) {
        jobId = _idOf(terms);
        record = _records[jobId];
    }

    /// @dev Loads a job that must be in `state`.
    function _load(Terms calldata terms, State state) internal view returns (bytes32 jobId, Record record) {
        (jobId, record) = _load(terms);
        if (record.state() != state) revert JobEscrow_InvalidStatus(jobId, record.state());
    }

    /// @dev The instant `window` seconds from now.
    function _in(uint256 window) internal view returns (uint40) {
        return uint40(block.timestamp + window);
    }

    function _checkCaller(bytes32 jobId, address party) internal view {
        if (msg.sender != party) revert JobEscrow_NotParty(jobId, msg.sender);
    }

    function _checkInTime(bytes32 jobId, uint256 deadline) internal view {
        if (block.timestamp > deadline) revert JobEscrow_TooLate(jobId, deadline);
    }

    /// @dev The second of `deadline` still belongs to the step that ends with it.
    function _checkOver(bytes32 jobId, uint256 deadline) internal view {
        if (block.timestamp <= deadline) revert JobEscrow_TooEarly(jobId, deadline);
    }

    function _checkLength(uint256 length, uint256 limit) internal pure {
        if (length > limit) revert JobEscrow_TooLong(length, limit);
    }
}
