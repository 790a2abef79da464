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

/// @notice The outcome of a round, by the rule.
enum Verdict {
    None,
    Pass,
    Fail,
    Inconclusive
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
    Inconclusive
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
    Rated
}

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
/// @dev Warning: terms, events and measurements are public. Anything secret must be sealed or committed to.
interface IJobEscrow {
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
    /// @param score Primary metric, fixed point with nine decimals; larger is better.
    /// @param salt Random: without it others can find digest and score by trying likely ones.
    struct Measurement {
        bytes32 digest;
        int64 score;
        bytes32 salt;
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
    event Withdrawn(address indexed account, address indexed token, uint256 amount);

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
    error JobEscrow_WrongPayment(uint256 sent, uint256 wanted);
    /// @notice The token took part of the transfer, or none was made.
    error JobEscrow_TokenTookFee(address token, uint256 received, uint256 wanted);
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
    error JobEscrow_NothingOwed(address account, address token);
    error JobEscrow_TransferFailed(address to, uint256 amount);
    /// @notice Only the registry may send coins without a call.
    error JobEscrow_NotRegistry(address caller);

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

    /// @notice Posted → Cancelled: the requester gets everything back. The requester at any time, anyone after
    /// `acceptBy`.
    function cancel(Terms calldata terms) external;

    // ── Run

    /// @notice Posted → Accepted: locks the provider's stake. The provider, until `acceptBy`.
    /// @dev Warning: from here on the provider loses its stake when it misses a deadline. It must have fetched the
    /// bundle and checked the terms before.
    function accept(Terms calldata terms) external;

    /// @notice Accepted → Refunded: the provider gives the job back. Its stake is unlocked and the job counted as
    /// released. The provider, until the run's deadline.
    /// @param reason For people, at most 256 bytes.
    function release(Terms calldata terms, bytes calldata reason) external;

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

    // ── Seat validators

    /// @notice Submitted → Validating: the requester states that it holds the encrypted result, and names exactly as
    /// many validators as the rule asks for, each with an offer and free stake. The requester, until the deadline.
    /// @dev Warning: named validators may collude with the requester. The provider's remedy is {appeal}.
    function appoint(Terms calldata terms, Appointment[] calldata appointments) external;

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

    /// @notice Commits to the caller's own measurement. A seated validator, until the deadline to commit.
    /// @dev Warning: a validator that commits and does not reveal loses its stake. The first 30 bytes of `commitment`
    /// are stored.
    function commit(Terms calldata terms, bytes32 commitment) external;

    /// @notice Gives the caller's seat back; costs and earns nothing. A seated validator, before it commits and until
    /// the deadline to commit.
    /// @param reason For people, at most 256 bytes.
    function abstain(Terms calldata terms, bytes calldata reason) external;

    /// @notice Takes their seats from validators that have not committed by the deadline. They are counted late and not
    /// slashed; a draw replaces them once a round. Anyone. Once no seat is pending the round goes on.
    function dismiss(Terms calldata terms, address[] calldata missing) external;

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

    // ── Claim and dispute

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

    /// @notice Ends a job. Claimed → Settled: the requester at any time, anyone after the window. Rejected and
    /// Inconclusive → Refunded: anyone, after the window to appeal where there is one. After a challenge, Validated and
    /// the challenge's Inconclusive → Settled: anyone, because the requester has the key already.
    function settle(Terms calldata terms, address[] calldata panel) external;

    /// @notice Refunds a job whose provider missed its deadline, and slashes the provider. Anyone, after the deadline:
    /// Accepted, Validated (unless challenged), Submitted in optimistic mode; Submitted otherwise after the provider's
    /// window to draw.
    function expire(Terms calldata terms, address[] calldata panel) external;

    // ── Rate and withdraw

    /// @notice Scores another party of a final job, 1–5, once each: the requester its provider and the validators that
    /// revealed, the provider its requester.
    /// @dev Warning: a score cannot be changed.
    function rate(Terms calldata terms, address subject, uint8 score) external;

    /// @notice Pays the caller all that it is owed in `token` (zero: the coin).
    /// @dev Warning: reverts for a contract that refuses the coin, which then stays owed to it.
    /// @return amount Smallest unit.
    function withdraw(address token) external returns (uint256 amount);

    // ── Read

    /// @notice The id of a job, posted or not.
    function jobIdOf(Terms calldata terms) external view returns (bytes32);

    /// @notice The job as stored, see {Record}; zero when it was not posted.
    function recordOf(bytes32 jobId) external view returns (Record);

    /// @notice The status of `validator` in the job.
    function seatOf(bytes32 jobId, address validator) external view returns (SeatStatus);

    /// @notice The amount that {withdraw} would pay `account` in `token`, smallest unit.
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

    /// @notice Percent of a slashed provider's stake that compensates the requester.
    function COMPENSATION_PERCENT() external view returns (uint8);
}
