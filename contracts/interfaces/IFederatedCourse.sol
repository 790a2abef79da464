// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IFederated} from "./IFederated.sol";

/// @title The calls of a federated job's ordinary course
interface IFederatedCourse is IFederated {
    // ── Post and enlist

    /// @notice None → Enlisting: the requester locks the money of all rounds.
    /// @param sealedLocator For the seats, at most 1 KiB; only emitted.
    function post(Terms calldata terms, bytes calldata sealedLocator) external payable returns (bytes32 jobId);

    /// @notice Tells providers where they find the job, and hands them their admissions; while a round is open, tells
    /// seats the same. The requester, until `enlistBy` or the round's deadline, as often as it likes.
    /// @param sealedInvitation For these accounts, at most 4 KiB; only emitted.
    function invite(Terms calldata terms, address[] calldata invited, bytes calldata sealedInvitation) external;

    /// @notice Enlists the caller as provider and locks its stake. Until `enlistBy`, while there are places.
    /// @param admission The requester's signature of `Admission(bytes32 job,address provider)` (EIP-712).
    function enlist(Terms calldata terms, bytes calldata admission) external;

    /// @notice Enlisting → Drawing, or → Running without seats. The requester, with `least` providers or more, until a
    /// dispute window after `enlistBy`.
    function begin(Terms calldata terms) external;

    /// @notice Drawing → Running: seats the validators that the block's hash and the seed draw. Anyone that knows the
    /// seed, within 256 blocks. Where the pool has none, the job ends.
    function seat(Terms calldata terms, bytes32 seed) external;

    // ── Rounds

    /// @notice Says that the caller has uploaded its update to the open round. Without seats this is what pays it
    /// should the requester fall silent; with seats it is evidence for a challenge.
    function assertUpload(Terms calldata terms, bytes32 upload) external;

    /// @notice Closes the open round; the last one ends the job. With seats anyone that has the signatures of their
    /// majority, without them the requester.
    function close(Terms calldata terms, Closing calldata closing, Approval[] calldata approvals) external;

    // ── Pay

    /// @notice Credits accounts what they earned since their last claims. Anyone, once the challenge window of a closing
    /// is over. Accounts that have it already are passed over.
    /// @param closings From the closing whose pay is claimed to the last one.
    function claim(Terms calldata terms, Payout[] calldata payouts, Closed[] calldata closings) external;

    // ── Read

    /// @notice `keccak256(abi.encode(chainId, escrow, terms))`.
    function jobIdOf(Terms calldata terms) external view returns (bytes32);
    function jobOf(bytes32 jobId) external view returns (Job memory);
    function accountOf(bytes32 jobId, address account) external view returns (Account memory);
    /// @notice Hash of the last closing; zero before the first.
    function tipOf(bytes32 jobId) external view returns (bytes32);
    /// @notice Sum of all claims.
    function paidOf(bytes32 jobId) external view returns (uint256);
}
