// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IProviderRating, Role} from "./IProviderRating.sol";
import {IProviderRegistry} from "./IProviderRegistry.sol";
import {Record} from "../libraries/Record.sol";
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

/// @notice What the revealed measurements say, by rule.
enum Verdict {
    None,
    Pass,
    Fail,
    Inconclusive
}

/// @notice What a panel of validators is for, and so who pays it.
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
    /// No majority could be had.
    Inconclusive
}

/// @notice Where a validator stands in a job.
enum SeatStatus {
    /// Never had a seat.
    None,
    /// May commit or abstain.
    Appointed,
    /// Has committed; may reveal once all have.
    Committed,
    /// Has revealed; the provider has not, so that the vote is not counted yet.
    Revealed,
    /// Revealed and agrees with the provider.
    Passed,
    /// Revealed and disagrees.
    Failed,
    /// Stood down before it committed; cannot be seated in this job again.
    Abstained,
    /// Lost its seat for not committing in time; cannot be seated in this job again.
    Dismissed,
    /// Revealed, the job is final, and the requester has scored it.
    Rated
}

/// @title Money, states and verdicts of jobs
/// @notice A job is named by the hash of its terms; every call carries the terms again, so that the chain
/// stores a few words a job. Prices, fees and bonds are in the terms' token and credited to {owed}, from
/// where {withdraw} takes them; stakes live in the registry, in the chain's own coin. Slashed stake is
/// credited in the coin. Instants are Unix seconds; a deadline's second still belongs to the step. Block numbers and
/// hashes mean nothing here: they count differently on other chains, and who makes blocks can choose them.
///
/// Draws: requester and provider each commit to the tip of a hash chain of seeds (`tip = H(H(…s))`, H being
/// `keccak256(abi.encode(seed))`), the one when it posts, the other when it submits. Draw number n of a job is decided
/// by both n-th seeds, of which n hashes give the tip. The requester reveals first and without knowing the
/// provider's; the provider last, when it cannot choose any more: it is slashed if it hides. The pool is taken as it
/// was before either seed was known.
///
/// Slashed stake is burnt, but for a tenth of the provider's, which the requester gets unless it had named the
/// validators that found the result wrong: whoever can bring a slash about must not gain by it.
///
/// Calls that end a job take `panel`: every validator that was ever appointed to it (of whatever round, left
/// or not), in strictly ascending order of address; the record's `occupied` counts them. A wrong list reverts.
interface IJobEscrow {
    /// @notice What a job costs, who may do it, by when, how it is judged; fixed when it is posted.
    /// @param token Plain ERC-20 of price and fees; zero is the chain's coin. Tokens that take a fee on
    /// transfer are refused; a rebasing token is the parties' own risk.
    /// @param validatorFee For each validator who reveals.
    /// @param providerStake Locked at {accept}, in the coin; what the provider loses when it cheats or vanishes.
    /// @param validatorStake Locked at appointment, in the coin; lost by a validator that commits and hides, or whose
    /// vote a later round contradicts. At most the registry's `POOL_STAKE`, so that every member can be drawn.
    /// @param specHash keccak256 of the spec's canonical JSON.
    /// @param bundleRoot Merkle root of the bundle's ciphertext.
    /// @param secretHash `keccak256(abi.encode(maskHash, seedTip))`: keccak256 of the 32-byte mask, and the tip of the
    /// requester's seeds; random, so it makes the terms unique too.
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

    /// @notice What one party found. Committed to as
    /// `keccak256(abi.encode(jobId, author, digest, score, salt))`.
    /// @param score Primary metric, fixed point with nine decimals, larger is better.
    struct Measurement {
        bytes32 digest;
        int64 score;
        bytes32 salt;
    }

    /// @notice A validator asked for by the requester, and the locator sealed to it (at most 1 KiB).
    struct Appointment {
        address validator;
        bytes sealedLocator;
    }

    /// @notice `seedTip` is the requester's word only: who knows the mask holds it against `terms.secretHash`.
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
    event Released(bytes32 indexed jobId, bytes reason);
    event Submitted(
        bytes32 indexed jobId,
        bytes32 resultRoot,
        bytes32 measurementCommitment,
        bytes32 keyCommitment,
        bytes32 seedTip,
        uint40 deadline,
        bytes sealedLocator
    );
    /// @notice `validator` has a seat. A drawn one has no locator yet: see {handover}. Deadline: to commit.
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
    /// @notice A draw was made: the seats that it gave were {Appointed} before. See {Committed} for the rest. Not
    /// emitted where the draw found no validator at all: {Judged} tells.
    event Drawn(bytes32 indexed jobId, bytes32 seed, bool oneSided, uint8 pending, uint40 deadline);
    /// @notice `pending` counts seats that have yet to commit, those to be drawn included. At zero the commit
    /// phase is over and `deadline` is that to reveal.
    event Committed(
        bytes32 indexed jobId, address indexed validator, bytes32 commitment, uint8 pending, uint40 deadline
    );
    /// @notice See {Committed}.
    event Abstained(bytes32 indexed jobId, address indexed validator, bytes reason, uint8 pending, uint40 deadline);
    /// @notice A validator that had not committed in time lost its seat. See {Committed}.
    event Dismissed(bytes32 indexed jobId, address indexed validator, uint8 pending, uint40 deadline);
    /// @notice `author` is a validator or the provider.
    event Revealed(bytes32 indexed jobId, address indexed author, bytes32 digest, int64 score, bytes32 salt);
    /// @notice The verdict; the job is in Validated, Rejected or Inconclusive. Deadline: to claim or to appeal; the
    /// present second where there is nothing to wait for.
    event Judged(bytes32 indexed jobId, Verdict verdict, uint8 passes, uint8 fails, uint40 deadline);
    /// @notice The key is public. Deadline: of the challenge, where there can be one, else zero ({Settled} follows).
    event Claimed(bytes32 indexed jobId, bytes32 blindedKey, uint40 deadline);
    event Challenged(bytes32 indexed jobId, uint256 bond);
    event Appealed(bytes32 indexed jobId, uint256 bond);
    event Settled(bytes32 indexed jobId);
    event Refunded(bytes32 indexed jobId, Cause cause);
    event Rated(bytes32 indexed jobId, address indexed rater, address indexed subject, Role role, uint8 score);
    event Withdrawn(address indexed account, address indexed token, uint256 amount);

    /// @notice The call does not exist in this state.
    error JobEscrow_InvalidStatus(bytes32 jobId, State state);
    /// @notice `caller` is not the party that may call.
    error JobEscrow_NotParty(bytes32 jobId, address caller);
    error JobEscrow_TooLate(bytes32 jobId, uint256 deadline);
    /// @notice Until `deadline` the step belongs to somebody else.
    error JobEscrow_TooEarly(bytes32 jobId, uint256 deadline);
    error JobEscrow_AlreadyPosted(bytes32 jobId);
    /// @notice Rule or schedule hold bits they must not, or name nobody or one account twice.
    error JobEscrow_InvalidTerms();
    error JobEscrow_WrongPayment(uint256 sent, uint256 wanted);
    /// @notice The token took part of the transfer, or none was made.
    error JobEscrow_TokenTookFee(address token, uint256 received, uint256 wanted);
    error JobEscrow_TooLong(uint256 length, uint256 limit);
    error JobEscrow_WrongPanelSize(bytes32 jobId, uint256 given, uint256 wanted);
    /// @notice A party of the job, or somebody who already has or had a seat, cannot be a validator in it.
    error JobEscrow_NotEligible(bytes32 jobId, address account);
    /// @notice `account` has no seat in this step.
    error JobEscrow_WrongSeat(bytes32 jobId, address account, SeatStatus status);
    /// @notice Measurements are revealed only when nobody can commit any more.
    error JobEscrow_StillCommitting(bytes32 jobId);
    /// @notice No validator is late: all have committed or left.
    error JobEscrow_NothingPending(bytes32 jobId);
    error JobEscrow_CommitmentMismatch(bytes32 jobId, address author);
    /// @notice The provider's measurement is public in this round.
    error JobEscrow_AlreadyDisclosed(bytes32 jobId);
    error JobEscrow_KeyMismatch(bytes32 jobId);
    /// @notice The job is appealed already, or its verdict is not one to appeal.
    error JobEscrow_NoAppeal(bytes32 jobId);
    /// @notice The seed is not the one that `party` committed to for this draw, or what comes with it is not as committed.
    error JobEscrow_SeedMismatch(bytes32 jobId, address party);
    /// @notice No seat is to be drawn, or the seed is known already.
    error JobEscrow_NothingToDraw(bytes32 jobId);
    error JobEscrow_AlreadyRated(bytes32 jobId, address rater);
    error JobEscrow_NothingOwed(address account, address token);
    error JobEscrow_TransferFailed(address to, uint256 amount);
    error JobEscrow_NotRegistry(address caller);

    /// @notice Posts a job and locks price + fees of all validators. Only `terms.requester`, who sends that
    /// sum in the coin or has approved it in the token.
    /// @dev Warning: the schedule's floors are what an honest party needs at the very least; see `protocol/bounds.ts`.
    /// @param seedTip Tip of the requester's seeds, which `terms.secretHash` commits to; only told on.
    /// @param sealedLocator Bundle locator sealed to the provider, at most 1 KiB.
    /// @return jobId `keccak256(abi.encode(block.chainid, address(this), terms))`.
    function post(Terms calldata terms, bytes32 seedTip, bytes calldata sealedLocator)
        external
        payable
        returns (bytes32 jobId);

    /// @notice Posted → Cancelled: everything back. The requester any time, anyone after `acceptBy`.
    function cancel(Terms calldata terms) external;

    /// @notice Posted → Accepted: locks the provider's stake. The provider, until `acceptBy`.
    function accept(Terms calldata terms) external;

    /// @notice Accepted → Refunded: the provider gives the job back, unslashed, into its own counter. The
    /// provider, until the run's deadline.
    /// @param reason For people, at most 256 bytes.
    function release(Terms calldata terms, bytes calldata reason) external;

    /// @notice Accepted → Submitted. The provider, until the run's deadline.
    /// @param resultRoot Merkle root of the result's ciphertext.
    /// @param measurementCommitment See {Measurement}; its author is the provider.
    /// @param keyCommitment `keccak256(abi.encode(jobId, sessionKey xor mask))`. The contract cannot see whether
    /// it fits the ciphertext: validators check that.
    /// @param seedTip Tip of the provider's seeds for draws.
    /// @param sealedLocator Result locator sealed to the requester, at most 1 KiB.
    function submit(
        Terms calldata terms,
        bytes32 resultRoot,
        bytes32 measurementCommitment,
        bytes32 keyCommitment,
        bytes32 seedTip,
        bytes calldata sealedLocator
    ) external;

    /// @notice Submitted → Validating: says that the requester holds the encrypted result. The requester, until
    /// the deadline; exactly as many validators as the rule asks for, each with an offer and free stake.
    function appoint(Terms calldata terms, Appointment[] calldata appointments) external;

    /// @notice Publishes a locator sealed to a seated validator, at most 1 KiB; only an event. Requester or provider.
    function handover(Terms calldata terms, address validator, bytes calldata sealedLocator) external;

    /// @notice Reveals the requester's seed for the draw under way. The requester, until the deadline; a turn missed is
    /// lost, and the draw goes on without it.
    /// @param maskHash As in `terms.secretHash`.
    function revealSeed(Terms calldata terms, bytes32 maskHash, bytes32 seed) external;

    /// @notice Draws validators from the registry's pool by the seeds. Only the provider, once the requester's seed is
    /// known or its turn is over, within the window to reveal; a provider that hides its seed fails ({conclude}).
    /// Submitted, after the deadline to appoint and within the window to claim: the requester has lost its say, and
    /// the draw is the provider's alone (→ Validating). With an empty pool the round goes on without.
    /// @dev Warning: what a draw without the requester's seed decides can be challenged once it is claimed.
    /// @param measurementCommitment As submitted.
    /// @param keyCommitment As submitted.
    function draw(Terms calldata terms, bytes32 measurementCommitment, bytes32 keyCommitment, bytes32 seed) external;

    /// @notice Takes their seats from validators that have not committed by the deadline; they are counted late,
    /// not slashed, and replaced once, by draw. Anyone. Once nobody is pending the round goes on.
    function dismiss(Terms calldata terms, address[] calldata missing) external;

    /// @notice A seated validator commits to its own measurement, until the deadline to commit.
    function commit(Terms calldata terms, bytes32 commitment) external;

    /// @notice A seated validator stands down before it has committed; costs and earns nothing.
    /// @param reason For people, at most 256 bytes.
    function abstain(Terms calldata terms, bytes calldata reason) external;

    /// @notice A validator reveals its own measurement and the provider's, which it was shown after all had
    /// committed. Computes the verdict once every seat has revealed. Until the deadline to reveal.
    /// @param providers Ignored when the provider's measurement is public in this round already.
    /// @param secretsCommitment `keccak256(abi.encode(keyCommitment, seedTip))` as submitted: all is stored as one hash.
    function reveal(
        Terms calldata terms,
        Measurement calldata own,
        Measurement calldata providers,
        bytes32 secretsCommitment
    ) external;

    /// @notice A validator reveals its own measurement only; it is compared when the provider's is known.
    function revealAlone(Terms calldata terms, Measurement calldata own) external;

    /// @notice Reveals the provider's measurement alone. The provider, or whoever was shown it, once nobody is
    /// pending and until the deadline to reveal; for one window more once a validator has revealed. A provider that
    /// stays silent although a validator revealed fails.
    function disclose(Terms calldata terms, Measurement calldata providers, bytes32 secretsCommitment) external;

    /// @notice Computes the verdict from what has been revealed. Anyone, after the deadlines to reveal; also where the
    /// provider hid its seed for a draw.
    function conclude(Terms calldata terms) external;

    /// @notice Publishes the key that opens the result. The provider, until the deadline. Validated → Settled
    /// with payment; → Claimed in optimistic mode, and where the panel was drawn without the requester's seed.
    /// @param measurementCommitment As submitted: all commitments are stored as one hash.
    /// @param seedTip As submitted.
    function claim(
        Terms calldata terms,
        bytes32 blindedKey,
        bytes32 measurementCommitment,
        bytes32 seedTip,
        address[] calldata panel
    ) external;

    /// @notice Claimed → Validating: a panel is drawn. The requester, within the challenge window, with the bond of
    /// {challengeBondOf}: {PANEL} fees pay the panel, the rest of which comes back; half of the price is burnt
    /// (owed to the zero address) if the panel confirms the result.
    /// @param maskHash As in `terms.secretHash`.
    /// @param seed The requester's for this draw.
    function challenge(Terms calldata terms, bytes32 maskHash, bytes32 seed) external payable;

    /// @notice Rejected or Inconclusive → Validating: a panel of others is drawn. The provider, once, until the
    /// deadline, with the bond of {appealBondOf}. If the panel finds for it, the validators that voted against it lose
    /// their fees to the provider, and their stakes.
    function appeal(Terms calldata terms) external payable;

    /// @notice Ends a job. Claimed → Settled: the requester any time, anyone after the window. Rejected and
    /// Inconclusive → Refunded: anyone, after the window to appeal where there is one. After a challenge the result is
    /// the requester's already, so that Validated and its Inconclusive → Settled: anyone.
    function settle(Terms calldata terms, address[] calldata panel) external;

    /// @notice Refunds a job whose provider missed its deadline; see above for its stake. Anyone, after the deadline:
    /// Accepted, Validated (unless challenged), Submitted in optimistic mode; Submitted otherwise after the provider's
    /// window to draw.
    function expire(Terms calldata terms, address[] calldata panel) external;

    /// @notice Scores another party of a final job, 1–5, once each: the requester its provider and the validators
    /// that served, the provider its requester.
    function rate(Terms calldata terms, address subject, uint8 score) external;

    /// @notice Pays the caller all it is owed in `token` (zero: the coin).
    /// @return amount Smallest unit.
    function withdraw(address token) external returns (uint256 amount);

    /// @notice The name of a job, posted or not.
    function jobIdOf(Terms calldata terms) external view returns (bytes32);

    /// @notice The job as stored, see {Record}; zero when unknown.
    function recordOf(bytes32 jobId) external view returns (Record);

    /// @notice Where `validator` stands in the job.
    function seatOf(bytes32 jobId, address validator) external view returns (SeatStatus);

    /// @notice What {withdraw} would pay `account` in `token`, smallest unit.
    function owed(address account, address token) external view returns (uint256);

    /// @notice The bond of {appeal}, in the terms' token: the fees of {PANEL} validators.
    function appealBondOf(Terms calldata terms) external pure returns (uint256);

    /// @notice The bond of {challenge}, in the terms' token: the same, and half of the price.
    function challengeBondOf(Terms calldata terms) external pure returns (uint256);

    /// @notice Offers and stakes; deployed by the escrow.
    function registry() external view returns (IProviderRegistry);

    /// @notice Scores and outcome counters; deployed by the escrow.
    function rating() external view returns (IProviderRating);

    /// @notice Validators drawn for a challenge or an appeal.
    function PANEL() external view returns (uint8);

    /// @notice Most validators that a rule may ask for.
    function MAX_VALIDATORS() external view returns (uint8);

    /// @notice Percent of a slashed provider's stake that makes up for the requester's lost time.
    function COMPENSATION_PERCENT() external view returns (uint8);
}
