// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob} from "./IJob.sol";

/// @title The calls of a job that leaves its ordinary course
/// @notice Somebody gives up, is late, hides, has no validator, or disputes a verdict.
interface IJobExceptions is IJob {
    // ── Post and run

    /// @notice Posted → Cancelled: the requester gets everything back. The requester at any time, anyone after
    /// `acceptBy`.
    function cancel(Terms calldata terms) external;

    /// @notice Accepted → Refunded: the provider gives the job back. Its stake is unlocked and the job counted as
    /// released, for both parties. The provider, until the run's deadline.
    /// @param reason For people, at most 256 bytes.
    /// @param sealedLog End of the run's log, sealed to the requester, at most 1 KiB; only emitted.
    function release(Terms calldata terms, bytes calldata reason, bytes calldata sealedLog) external;

    /// @notice Accepted → Refunded: the requester ends the run. The provider gets the share of the price that the run
    /// took of its window, at least the rule's `stopFloor` and at most its `stopCap`; its stake is unlocked. The
    /// requester, until the run's deadline: what is submitted cannot be stopped.
    function stop(Terms calldata terms) external;

    // ── Seat validators

    /// @notice Emits a locator sealed to a seated validator, at most 1 KiB. Requester or provider, at any time.
    /// @dev Warning: the contract cannot see whether the locator can be opened or leads to the result.
    function handover(Terms calldata terms, address validator, bytes calldata sealedLocator) external;

    /// @notice Reveals the requester's seed for the scheduled draw. The requester, until the deadline; after that the
    /// draw goes on without its seed.
    /// @param maskHash As in `terms.secretHash`.
    function revealSeed(Terms calldata terms, bytes32 maskHash, bytes32 seed) external;

    /// @notice Draws validators from the registry's pool by the seeds. The provider, within the window to reveal that
    /// begins once the requester's seed is known or its deadline is over; a provider that hides its seed fails
    /// ({conclude}). Submitted → Validating: after the deadline to appoint and within the window to claim, by the
    /// provider's seed alone. When the pool has no validator to give, the round goes on without.
    /// @dev Warning: the claim of a job with a draw without the requester's seed can be challenged.
    /// @param measurementCommitment As submitted.
    /// @param keyCommitment As submitted.
    function draw(Terms calldata terms, bytes32 measurementCommitment, bytes32 keyCommitment, bytes32 seed) external;

    // ── Validate

    /// @notice Gives the caller's seat back; costs and earns nothing. A seated validator, before it commits and until
    /// the deadline to commit.
    /// @param reason For people, at most 256 bytes.
    function abstain(Terms calldata terms, bytes calldata reason) external;

    /// @notice Takes their seats from validators that have not committed by the deadline. They are counted late and not
    /// slashed; a draw replaces them once a round. Anyone. Once no seat is pending the round goes on.
    function dismiss(Terms calldata terms, address[] calldata missing) external;

    /// @notice Reveals the caller's own measurement only; the vote is counted once the provider's is known. A validator
    /// that committed, until the deadline to reveal.
    function revealAlone(Terms calldata terms, Measurement calldata own) external;

    /// @notice Reveals the provider's measurement alone. The provider, or anyone that was shown it, once no seat is
    /// pending and until the deadline to reveal; for one window more once a validator has revealed.
    /// @dev Warning: a provider whose measurement stays hidden although a validator revealed fails, without an appeal.
    function disclose(Terms calldata terms, Measurement calldata providers, bytes32 secretsCommitment) external;

    /// @notice Computes the verdict from what has been revealed. Anyone, after the deadlines to reveal; also where the
    /// provider hid its seed for a draw.
    function conclude(Terms calldata terms) external;

    // ── Dispute

    /// @notice Claimed → Validating: a panel of {PANEL} validators is drawn. The requester, within the challenge
    /// window, with the bond of {challengeBondOf}.
    /// @dev Warning: half of the price is burnt (owed to the zero address) if the panel confirms the result. What the
    /// panel's fees leave of the bond comes back.
    /// @param maskHash As in `terms.secretHash`.
    /// @param seed The requester's for this draw.
    function challenge(Terms calldata terms, bytes32 maskHash, bytes32 seed) external payable;

    /// @notice Rejected or Inconclusive → Validating: a panel of {PANEL} other validators is drawn. The provider,
    /// once, until the deadline, with the bond of {appealBondOf}. If the panel finds for it, the validators that
    /// voted against it lose their stakes, and their fees to the provider.
    /// @dev Warning: the fees of the panel are spent, whatever it finds; the rest of the bond comes back.
    function appeal(Terms calldata terms) external payable;

    // ── Close

    /// @notice Refunds a job whose provider missed its deadline, and slashes the provider. Anyone, after the deadline:
    /// Accepted, Validated (unless challenged), Submitted in optimistic mode; Submitted otherwise after the provider's
    /// window to draw.
    function expire(Terms calldata terms, address[] calldata panel) external;
}
