// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus} from "./IJob.sol";
import {Record} from "../libraries/Record.sol";

/// @title The calls of a job that takes its ordinary course
interface IJobCourse is IJob {
    // ── Post

    /// @notice None → Posted: locks the price and the fees of all validators. Only `terms.requester`, which sends that
    /// sum in the coin or has approved it in the token.
    /// @dev Warning: the schedule's floors are the very least that an honest party needs; clients refuse terms below
    /// stricter bounds (docs/protocol.md).
    /// @param seedTip Tip of the requester's seeds, which `terms.secretHash` commits to; only emitted.
    /// @param sealedLocator The bundle's locator, sealed to the provider, at most 1 KiB.
    /// @return jobId `keccak256(abi.encode(block.chainid, address(this), terms))`.
    function post(Terms calldata terms, bytes32 seedTip, bytes calldata sealedLocator)
        external
        payable
        returns (bytes32 jobId);

    /// @notice {post}, paid in a token by its permit: no approval goes before. A permit that the token refuses counts
    /// for nothing, so that nobody can stop a posting by using the permit first.
    function postWithPermit(
        Terms calldata terms,
        bytes32 seedTip,
        bytes calldata sealedLocator,
        Permit calldata permit
    ) external returns (bytes32 jobId);

    // ── Run

    /// @notice Posted → Accepted: locks the provider's stake. The provider, until `acceptBy`.
    /// @dev Warning: from here on the provider loses its stake when it misses a deadline. It must have fetched the
    /// bundle and checked the terms before.
    function accept(Terms calldata terms) external;

    /// @notice Accepted → Submitted. The provider, until the run's deadline.
    /// @dev Warning: the contract cannot see whether the key fits the ciphertext; validators check that. A provider
    /// that loses the secret of its seeds fails at the first draw.
    /// @param resultRoot Merkle root of the result's ciphertext.
    /// @param measurementCommitment See {Measurement}; its author is the provider.
    /// @param keyCommitment `keccak256(abi.encode(jobId, sessionKey xor mask))`.
    /// @param seedTip Tip of the provider's seeds for draws.
    /// @param sealedLocator The result's locator, sealed to the requester, at most 1 KiB.
    function submit(
        Terms calldata terms,
        bytes32 resultRoot,
        bytes32 measurementCommitment,
        bytes32 keyCommitment,
        bytes32 seedTip,
        bytes calldata sealedLocator
    ) external;

    // ── Validate

    /// @notice Submitted → Validating: the requester states that it holds the encrypted result, and names exactly as
    /// many validators as the rule asks for, each with an offer and free stake. The requester, until the deadline.
    /// @dev Warning: named validators may collude with the requester. The provider's remedy is {appeal}.
    function appoint(Terms calldata terms, Appointment[] calldata appointments) external;

    /// @notice Commits to the caller's own measurement. A seated validator, until the deadline to commit.
    /// @dev Warning: a validator that commits and does not reveal loses its stake. The first 30 bytes of `commitment`
    /// are stored.
    function commit(Terms calldata terms, bytes32 commitment) external;

    /// @notice Reveals the caller's own measurement and the provider's, which it was shown after all had committed. The
    /// verdict follows once every seat has revealed. A validator that committed, until the deadline to reveal.
    /// @dev Warning: a provider that shows its measurement before all have committed lets a validator copy it; the
    /// contract cannot see that.
    /// @param providers Ignored when the provider's measurement is public in this round already.
    /// @param secretsCommitment `keccak256(abi.encode(keyCommitment, seedTip))` as submitted: the submission is
    /// stored as one hash.
    function reveal(
        Terms calldata terms,
        Measurement calldata own,
        Measurement calldata providers,
        bytes32 secretsCommitment
    ) external;

    // ── Claim and close

    /// @notice Publishes the key that opens the result. The provider, until the deadline. Validated → Settled with
    /// payment; → Claimed in optimistic mode, and where the panel was drawn without the requester's seed.
    /// @dev Warning: a claim that reverts has published the key all the same. The provider must repeat it in time.
    /// @param measurementCommitment As submitted: the submission is stored as one hash.
    /// @param seedTip As submitted.
    function claim(
        Terms calldata terms,
        bytes32 blindedKey,
        bytes32 measurementCommitment,
        bytes32 seedTip,
        address[] calldata panel
    ) external;

    /// @notice Ends a job. Claimed → Settled: the requester at any time, anyone after the window. Rejected and
    /// Inconclusive → Refunded: anyone, after the window to appeal where there is one. After a challenge, Validated and
    /// the challenge's Inconclusive → Settled: anyone, because the requester has the key already.
    function settle(Terms calldata terms, address[] calldata panel) external;

    // ── Rate

    /// @notice Scores another party of a final job, 1–5, once each: the requester its provider and the validators that
    /// revealed, the provider its requester.
    /// @dev Warning: a score cannot be changed.
    function rate(Terms calldata terms, address subject, uint8 score) external;

    // ── Read

    /// @notice The id of a job, posted or not.
    function jobIdOf(Terms calldata terms) external view returns (bytes32);

    /// @notice The job as stored, see {Record}; zero when it was not posted.
    function recordOf(bytes32 jobId) external view returns (Record);

    /// @notice The status of `validator` in the job.
    function seatOf(bytes32 jobId, address validator) external view returns (SeatStatus);
}
