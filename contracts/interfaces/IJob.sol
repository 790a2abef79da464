// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowMoney} from "./IEscrowMoney.sol";
import {IProviderRating, Role} from "./IProviderRating.sol";
import {IProviderRegistry} from "./IProviderRegistry.sol";
import {Rule} from "../libraries/Rule.sol";
import {Schedule} from "../libraries/Schedule.sol";

/// @notice States of a job: the same names, in the same order, as in the client.
enum State {
    None,
    Posted,
    Accepted,
    Submitted,
    Claimed,
    Validating,
    Validated,
    Rejected,
    Inconclusive,
    Settled,
    Refunded,
    Cancelled
}

/// @notice The outcome of a round, by the rule.
enum Verdict {
    None,
    Pass,
    Fail,
    Inconclusive,
    /// What the provider delivered is what it says, and short of what the job asked for. The state is Rejected.
    Unmet
}

/// @notice The purpose of a panel of validators, which decides who pays its fees.
enum Round {
    /// The job's own validators: the requester, from the fees that it posted.
    First,
    /// A challenge's: the requester, from its bond.
    Challenge,
    /// An appeal's: the provider, from its bond.
    Appeal
}

/// @notice Why a job was refunded.
enum Cause {
    /// The provider gave it back.
    Released,
    /// Nothing was submitted in time.
    RunMissed,
    /// Nothing was claimed in time.
    ClaimMissed,
    /// The provider's measurement was found wrong.
    Rejected,
    /// The provider did not reveal its measurement although a validator did, or its seed for a draw.
    Hid,
    /// There was no majority.
    Inconclusive,
    /// The provider's work was confirmed and does not reach the threshold.
    Unmet,
    /// The requester stopped it.
    Stopped
}

/// @notice The status of a validator in a job.
enum SeatStatus {
    /// Never had a seat.
    None,
    /// May commit or abstain.
    Appointed,
    /// Has committed; may reveal once all have.
    Committed,
    /// Has revealed before the provider's measurement was known: the vote is not counted yet.
    Revealed,
    /// Revealed and agrees with the provider.
    Passed,
    /// Revealed and disagrees.
    Failed,
    /// Gave its seat back before it committed; cannot be seated in this job again.
    Abstained,
    /// Lost its seat because it did not commit in time; cannot be seated in this job again.
    Dismissed,
    /// Revealed, the job is final, and the requester has scored it.
    Rated,
    /// Revealed, agrees with the provider, and finds the threshold not reached.
    Unmet
}

/// @title Terms, events, errors and constants of a job
/// @dev Warning: terms, events and measurements are public. Anything secret must be sealed or committed to.
interface IJob is IEscrowMoney {
    /// @notice Price, parties, deadlines and rule of a job; fixed when it is posted.
    /// @dev Warning: with a rebasing token the escrow can owe more than it holds, and an issuer that freezes the escrow
    /// freezes the money of all jobs in its token.
    /// @param token Plain ERC-20 of price and fees; zero is the chain's coin. Tokens that take a fee on transfer are
    /// refused.
    /// @param validatorFee For each validator that reveals.
    /// @param providerStake Wei, locked at {accept}; slashed when the provider misses a deadline, hides, or is found
    /// wrong.
    /// @param validatorStake Wei, locked at appointment; slashed when a validator commits and hides, or when a later
    /// round contradicts its vote. At most the registry's `POOL_STAKE`, so that every member can be drawn.
    /// @param specHash keccak256 of the spec's canonical JSON.
    /// @param bundleRoot Merkle root of the bundle's ciphertext.
    /// @param secretHash `keccak256(abi.encode(maskHash, seedTip))`: keccak256 of the 32-byte mask, and the tip of the
    /// requester's seeds. Both are random, so that no two jobs have the same terms.
    struct Terms {
        address requester;
        address provider;
        address token;
        uint128 price;
        uint128 validatorFee;
        uint96 providerStake;
        uint96 validatorStake;
        Rule rule;
        Schedule schedule;
        bytes32 specHash;
        bytes32 bundleRoot;
        bytes32 secretHash;
    }

    /// @notice A measurement of one party; its commitment is
    /// `keccak256(abi.encode(jobId, author, digest, score, salt))`.
    /// @param digest Of the outputs; `keccak256("ichain.failed-run")` when the run ended without.
    /// @param score Primary metric, fixed point with nine decimals; larger is better.
    /// @param salt Random: without it others can find digest and score by trying likely ones.
    struct Measurement {
        bytes32 digest;
        int64 score;
        bytes32 salt;
    }

    /// @notice A token's permission to take the price and the fees, as in ERC-2612.
    /// @param deadline Unix seconds.
    struct Permit {
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice A validator that the requester names, and the result's locator sealed to it (at most 1 KiB).
    struct Appointment {
        address validator;
        bytes sealedLocator;
    }

    /// @dev Warning: `seedTip` is not checked. A party that knows the mask compares both with `terms.secretHash`.
    event Posted(
        bytes32 indexed jobId,
        address indexed requester,
        address indexed provider,
        Terms terms,
        bytes32 seedTip,
        bytes sealedLocator
    );
    event Accepted(bytes32 indexed jobId, uint40 deadline);
    event Cancelled(bytes32 indexed jobId);
    /// @notice `sealedLog` is the end of the run's log, sealed to the requester; it can be empty.
    event Released(bytes32 indexed jobId, bytes reason, bytes sealedLog);
    /// @notice The requester stopped the job; `paid` of the price is the provider's.
    event Stopped(bytes32 indexed jobId, uint256 paid);
    event Submitted(
        bytes32 indexed jobId,
        bytes32 resultRoot,
        bytes32 measurementCommitment,
        bytes32 keyCommitment,
        bytes32 seedTip,
        uint40 deadline,
        bytes sealedLocator
    );
    /// @notice `validator` has a seat, until `deadline` to commit. A drawn one has no locator yet: see {handover}.
    event Appointed(
        bytes32 indexed jobId, address indexed validator, bool drawn, uint40 deadline, bytes sealedLocator
    );
    /// @notice A locator sealed to a validator after its appointment.
    event HandedOver(
        bytes32 indexed jobId, address indexed validator, address indexed sender, bytes sealedLocator
    );
    /// @notice `seats` validators are to be drawn; the requester may reveal its seed until `deadline`. The job is in
    /// Validating.
    event DrawScheduled(bytes32 indexed jobId, uint8 seats, uint40 deadline);
    /// @notice The requester's seed is known; the provider's is due by `deadline`.
    event SeedRevealed(bytes32 indexed jobId, bytes32 seed, uint40 deadline);
    /// @notice A draw was made; one {Appointed} for each seat that it gave came before. `pending` and `deadline` are as
    /// in {Committed}. Not emitted where the draw left the round without validators: {Judged} is.
    event Drawn(bytes32 indexed jobId, bytes32 seed, bool oneSided, uint8 pending, uint40 deadline);
    /// @notice `pending` counts seats that have yet to commit, those to be drawn included. At zero the commit phase is
    /// over and `deadline` is that to reveal.
    event Committed(
        bytes32 indexed jobId, address indexed validator, bytes32 commitment, uint8 pending, uint40 deadline
    );
    /// @notice A validator left before it committed. See {Committed} for the rest.
    event Abstained(bytes32 indexed jobId, address indexed validator, bytes reason, uint8 pending, uint40 deadline);
    /// @notice A validator that had not committed in time lost its seat. See {Committed} for the rest.
    event Dismissed(bytes32 indexed jobId, address indexed validator, uint8 pending, uint40 deadline);
    /// @notice `author` is a validator or the provider.
    event Revealed(bytes32 indexed jobId, address indexed author, bytes32 digest, int64 score, bytes32 salt);
    /// @notice The verdict; the job is in Validated, Rejected or Inconclusive. `deadline` is that to claim or to
    /// appeal; the present second where neither is possible.
    event Judged(bytes32 indexed jobId, Verdict verdict, uint8 passes, uint8 fails, uint40 deadline);
    /// @notice The blinded key is public. `deadline` is that to challenge; zero where there is no challenge, and
    /// {Settled} follows.
    event Claimed(bytes32 indexed jobId, bytes32 blindedKey, uint40 deadline);
    event Challenged(bytes32 indexed jobId, uint256 bond);
    event Appealed(bytes32 indexed jobId, uint256 bond);
    event Settled(bytes32 indexed jobId);
    event Refunded(bytes32 indexed jobId, Cause cause);
    event Rated(bytes32 indexed jobId, address indexed rater, address indexed subject, Role role, uint8 score);

    /// @notice The call is not possible in this state.
    error JobEscrow_InvalidStatus(bytes32 jobId, State state);
    /// @notice `caller` is not the party that may call.
    error JobEscrow_NotParty(bytes32 jobId, address caller);
    /// @notice The call was possible until `deadline`.
    error JobEscrow_TooLate(bytes32 jobId, uint256 deadline);
    /// @notice The call is possible only after `deadline`.
    error JobEscrow_TooEarly(bytes32 jobId, uint256 deadline);
    error JobEscrow_AlreadyPosted(bytes32 jobId);
    /// @notice Rule or schedule are not canonical, there are too many validators or too much stake of each, or the
    /// provider is the zero address or the requester.
    error JobEscrow_InvalidTerms();
    error JobEscrow_TooLong(uint256 length, uint256 limit);
    /// @notice {appoint} names more or fewer validators than the rule asks for, or `panel` is not complete.
    error JobEscrow_WrongPanelSize(bytes32 jobId, uint256 given, uint256 wanted);
    /// @notice A party of the job, or an account that has or had a seat in it, cannot be seated.
    error JobEscrow_NotEligible(bytes32 jobId, address account);
    /// @notice `account` has no seat in the status that the call needs, or `panel` is not in ascending order.
    error JobEscrow_WrongSeat(bytes32 jobId, address account, SeatStatus status);
    /// @notice Measurements are revealed only once no validator can commit any more.
    error JobEscrow_StillCommitting(bytes32 jobId);
    /// @notice No validator is late: all have committed or left.
    error JobEscrow_NothingPending(bytes32 jobId);
    /// @notice The measurement, or what comes with it, is not what `author` committed to.
    error JobEscrow_CommitmentMismatch(bytes32 jobId, address author);
    /// @notice The provider's measurement is public in this round.
    error JobEscrow_AlreadyDisclosed(bytes32 jobId);
    /// @notice Key, measurement commitment and tip are not those that the provider submitted.
    error JobEscrow_KeyMismatch(bytes32 jobId);
    /// @notice The job is appealed already, or its verdict is not one to appeal.
    error JobEscrow_NoAppeal(bytes32 jobId);
    /// @notice The seed is not the one that `party` committed to for this draw, or what comes with it is not as
    /// committed.
    error JobEscrow_SeedMismatch(bytes32 jobId, address party);
    /// @notice No seat is to be drawn, or the seed is known already.
    error JobEscrow_NothingToDraw(bytes32 jobId);
    error JobEscrow_AlreadyRated(bytes32 jobId, address rater);
    /// @notice Registry and rating do not list this contract, or its other half was deployed for others.
    error JobEscrow_WrongDeployment();
    /// @notice Only the registry may send coins without a call.
    error JobEscrow_NotRegistry(address caller);

    // ── Read


    /// @notice The bond of {appeal}, in the terms' token: the fees of {PANEL} validators.
    function appealBondOf(Terms calldata terms) external pure returns (uint256);

    /// @notice The bond of {challenge}, in the terms' token: the same, and half of the price.
    function challengeBondOf(Terms calldata terms) external pure returns (uint256);

    /// @notice Offers and stakes.
    function registry() external view returns (IProviderRegistry);

    /// @notice Scores and outcome counters.
    function rating() external view returns (IProviderRating);

    /// @notice Validators drawn for a challenge or an appeal.
    function PANEL() external view returns (uint8);

    /// @notice Most validators that a rule may ask for.
    function MAX_VALIDATORS() external view returns (uint8);

    /// @notice Percent of a slashed provider's stake that compensates the requester.
    function COMPENSATION_PERCENT() external view returns (uint8);
}
