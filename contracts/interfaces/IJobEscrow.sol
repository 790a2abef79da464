// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobCourse} from "./IJobCourse.sol";
import {IJobExceptions} from "./IJobExceptions.sol";

/// @title Escrow of jobs: their money, states and verdicts
/// @notice A job's id is the hash of its terms; every call carries the terms again, so that the chain stores a few
/// words for a job. Prices, fees and bonds are in the terms' token, and payments are credited to {owed}, from where
/// {withdraw} pays them. Stakes are in the registry, in the chain's own coin; a compensation from a slashed stake is
/// credited in the coin. Amounts are in the smallest unit. Instants are Unix seconds; the second of a deadline still
/// belongs to the step that ends with it. Block numbers and hashes are not used: other chains count blocks
/// differently, and block producers choose hashes.
///
/// Draws: requester and provider each commit to the tip of a hash chain of seeds (`tip = H(H(…s))`, H being
/// `keccak256(abi.encode(seed))`), the requester when it posts, the provider when it submits. Draw number n of a job is
/// decided by both n-th seeds, of which n hashes give the tip. The requester reveals first, without knowing the
/// provider's seed; the provider last, when it has no choice left but to hide its seed, for which it is slashed. The
/// pool is taken as it was before either seed was known.
///
/// Slashed stake is burnt, except {COMPENSATION_PERCENT} of the provider's. The requester gets that, unless validators
/// that it had named found the result wrong: a party that can bring a slash about must not gain by it.
///
/// Calls that end a job take `panel`: every validator that was ever appointed to it (in any round, even if it left), in
/// strictly ascending order of address; the record's `occupied` counts them.
/// @dev {JobEscrow} has the code of the one half, {JobExceptions} of the other; both halves are called at one address.
interface IJobEscrow is IJobCourse, IJobExceptions {}
