// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IFederatedCourse} from "./IFederatedCourse.sol";
import {IFederatedExceptions} from "./IFederatedExceptions.sol";

/// @title Escrow of federated jobs
/// @notice A requester locks the money of all rounds. Providers enlist and train; seats, validators drawn from the
/// registry's pool, aggregate their updates, score them and close each round by the signatures of their majority. Pay
/// is cumulative, a Merkle tree of accounts and sums whose root each closing carries, so that a round costs the same
/// for any number of providers. Without seats the requester closes.
///
/// Whatever a party does or leaves undone the job ends: rounds that are closed stay paid, the rest goes back. A false
/// closing is challenged before a drawn panel that runs the round again; a strike is appealed before one. Closings,
/// updates and models themselves are known to the parties; the chain holds their hashes.
///
/// Stakes are in the registry, in the chain's own coin; a slashed stake is burnt, except {COMPENSATION_PERCENT} of a
/// provider's, which the requester gets. In a job that a cheat ends ({Terms.refunds}) the honest providers share it. Calls carry the terms, as those of {IJobEscrow} do.
interface IFederatedEscrow is IFederatedCourse, IFederatedExceptions {}
