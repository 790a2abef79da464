// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowMoney} from "./IEscrowMoney.sol";
import {IProviderRating, Role} from "./IProviderRating.sol";
import {IProviderRegistry} from "./IProviderRegistry.sol";

/// @notice States of a federated job.
enum FederatedState {
    None,
    /// Providers enlist.
    Enlisting,
    /// The block that draws the seats is fixed.
    Drawing,
    /// A round is open.
    Running,
    /// A panel examines a closing; no round is closed meanwhile.
    Disputed,
    Ended
}

/// @notice Why a federated job ended.
enum FederatedCause {
    /// All rounds are closed.
    Completed,
    /// The requester stopped it.
    Stopped,
    /// Nothing happened until a deadline.
    Late,
    /// The pool had no account for a seat.
    NoSeats,
    /// A panel found a closing false.
    Overturned,
    /// Seats struck a provider of a job that this ends: {Terms.refunds}.
    Cheated
}

/// @notice What an account is in a federated job.
enum Standing {
    None,
    /// A provider.
    Enlisted,
    /// A validator that aggregates, scores and closes.
    Seated,
    /// A provider whose update the seats found to be none of its training; it may appeal.
    Struck,
    /// Its appeal is before a panel.
    Appealing,
    /// A panel confirmed the strike.
    Condemned,
    /// A seat that signed what a panel found false. Its stake is gone.
    Slashed,
    /// Its stake is free again, or slashed.
    Released
}

/// @notice The status of a validator in the panel of a dispute.
enum PanelStatus {
    None,
    Drawn,
    Committed,
    Revealed
}

/// @title What the calls of a federated job share
/// @notice {IFederatedEscrow} describes a federated job.
interface IFederated is IEscrowMoney {
    struct Terms {
        address requester;
        /// Pays the rounds, fees and bonds; zero: the coin.
        address token;
        /// Shared by the providers of a round, smallest unit.
        uint128 roundPrice;
        /// Of each seat for a round, and of each validator of a panel for its finding, smallest unit.
        uint128 seatFee;
        /// Wei.
        uint96 providerStake;
        /// Of a seat, and of a validator of a panel; wei, at most the registry's pool stake.
        uint96 seatStake;
        uint16 rounds;
        /// Providers without which the job does not begin.
        uint8 least;
        /// Most providers.
        uint8 places;
        /// Validators that close rounds, at most {MAX_SEATS}; zero: the requester closes.
        uint8 seats;
        /// Last second to enlist, Unix time.
        uint40 enlistBy;
        /// Seconds to close a round, and of a panel to run it again.
        uint24 roundWindow;
        /// Seconds to begin, to challenge, to appeal, and to reveal.
        uint24 disputeWindow;
        bytes32 specHash;
        bytes32 bundleRoot;
        /// `keccak256(abi.encode(seed))` of the requester's seed for the draw of the seats.
        bytes32 seedHash;
        /// A strike ends the job: rounds that are not closed go back. The providers whose strikes stand are banned, and
        /// the others share their stakes. Only with two seats or more.
        bool refunds;
    }

    /// @notice What the seats say of a round; they sign it (EIP-712).
    struct Closing {
        /// From 1.
        uint16 round;
        /// Of the round's updates.
        bytes32 updatesRoot;
        /// Of the new model's numbers.
        bytes32 modelDigest;
        /// Of the parcel that holds the new model.
        bytes32 modelRoot;
        /// Merkle root over `keccak256(keccak256(abi.encode(account, earned)))`, all sums since the first round.
        bytes32 payRoot;
        /// The parcel's key xor the round's mask.
        bytes32 blindedKey;
        /// Hash of the round's aggregation record in the job's ledger.
        bytes32 ledgerTip;
    }

    /// @notice A closing as the chain keeps it: by its hash.
    struct Closed {
        Closing closing;
        /// Unix seconds.
        uint40 closedAt;
        /// Providers that asserted an upload to the round.
        uint8 asserted;
        /// Seats that signed, ascending.
        address[] signers;
        /// Hash of the one before; zero for the first.
        bytes32 previous;
    }

    struct Approval {
        address seat;
        bytes signature;
    }

    /// @notice What an account earned, as a closing's pay has it.
    struct Payout {
        address account;
        /// In all rounds up to the closing's, smallest unit.
        uint128 earned;
        bytes32[] proof;
    }

    /// @notice An update that a replay of the training does not give; seats sign it (EIP-712).
    struct Strike {
        address provider;
        uint16 round;
        /// Root of the update's parcel, as the provider signed it.
        bytes32 upload;
    }

    struct Job {
        FederatedState state;
        bool stopping;
        /// Rounds that are closed.
        uint16 closed;
        /// The round that a panel confirmed last: it is not challenged twice.
        uint16 confirmed;
        /// Last round that was claimed from: it and those before can no longer be challenged.
        uint16 finalRound;
        uint8 enlisted;
        /// Seats that were drawn.
        uint8 seated;
        /// Providers that asserted an upload to the open round.
        uint8 asserted;
        /// Of them, those that have yet to be paid for a round whose requester was silent.
        uint8 sharing;
        /// Unix seconds: last second of the present step; once ended, of disputes.
        uint40 deadline;
        /// Unix seconds of the posting.
        uint40 postedAt;
        /// Block whose hash draws the seats.
        uint40 drawBlock;
        /// Unix seconds of the end of the last dispute over a closing.
        uint40 resumedAt;
    }

    struct Account {
        Standing standing;
        /// A validator that was drawn for the rounds; else a provider.
        bool seat;
        bool rated;
        bool ratedRequester;
        /// Unix seconds until which a strike can be appealed.
        uint40 appealBy;
        /// Last round to which it asserted an upload.
        uint16 asserted;
        /// Sum that was credited by {claim}.
        uint128 claimed;
    }

    /// @notice What a panel examines: a closing, or a strike that its provider appealed.
    struct Dispute {
        /// What is disputed, as a finding.
        bytes32 claimed;
        address challenger;
        /// Unix seconds: the pool is taken as it was then.
        uint40 asOf;
        /// Block whose hash draws the panel; zero once it is drawn.
        uint40 drawBlock;
        /// Round of a closing.
        uint16 round;
        uint8 committed;
        uint8 revealed;
        /// Unix seconds: last to commit; once all have, last to reveal.
        uint40 deadline;
        /// The job's state before.
        FederatedState back;
        address[] panel;
    }

    event FederatedPosted(bytes32 indexed jobId, address indexed requester, Terms terms, bytes sealedLocator);
    /// @notice One message for all `invited`; each can open it.
    event Invited(bytes32 indexed jobId, address[] invited, bytes sealedInvitation);
    event Enlisted(bytes32 indexed jobId, address indexed provider, uint256 enlisted);
    /// @notice The job begins; with seats, the hash of `drawBlock` draws them.
    event Begun(bytes32 indexed jobId, uint256 drawBlock, uint256 deadline);
    event Seated(bytes32 indexed jobId, address indexed seat);
    /// @notice The first round is open. Each later one opens as the one before is closed, for {Terms.roundWindow}.
    event FirstOpened(bytes32 indexed jobId, uint256 deadline);
    event UploadAsserted(bytes32 indexed jobId, address indexed provider, uint256 round, bytes32 upload);
    event RoundClosed(bytes32 indexed jobId, uint256 indexed round, Closed closed);
    event StopAsked(bytes32 indexed jobId);
    /// @notice `deadline` is the last second of disputes; zero where no round was closed.
    event Ended(bytes32 indexed jobId, FederatedCause cause, uint256 closed, uint256 deadline);
    /// @notice A closing stood; the job is in the state that it had before, with another deadline.
    event Resumed(bytes32 indexed jobId, FederatedState state, uint256 deadline);
    event Claimed(bytes32 indexed jobId, address indexed account, uint256 amount);
    event Struck(bytes32 indexed jobId, Strike strike, address[] signers, uint256 appealBy);
    /// @notice `provider` is zero for a closing, else who appealed a strike.
    event Disputed(bytes32 indexed jobId, address indexed provider, address challenger, uint256 round, uint256 drawBlock);
    event DrawMissed(bytes32 indexed jobId, address indexed provider, uint256 drawBlock);
    event Empanelled(bytes32 indexed jobId, address indexed provider, address[] panel, uint256 deadline);
    event FindingCommitted(bytes32 indexed jobId, address indexed provider, address validator, uint256 deadline);
    event FindingRevealed(bytes32 indexed jobId, address indexed provider, address validator, bytes32 finding);
    /// @notice `finding` is that of the panel's majority, zero without one.
    event DisputeConcluded(bytes32 indexed jobId, address indexed provider, bytes32 finding, bool stands);
    event StakeReleased(bytes32 indexed jobId, address indexed account, bool slashed);
    event Swept(bytes32 indexed jobId, uint256 amount);
    event FederatedRated(bytes32 indexed jobId, address indexed rater, address indexed subject, Role role, uint8 score);

    error FederatedEscrow_InvalidTerms();
    error FederatedEscrow_AlreadyPosted(bytes32 jobId);
    error FederatedEscrow_InvalidStatus(bytes32 jobId, FederatedState state);
    error FederatedEscrow_NotParty(bytes32 jobId, address caller);
    error FederatedEscrow_WrongStanding(bytes32 jobId, address account, Standing standing);
    error FederatedEscrow_TooLate(bytes32 jobId, uint256 deadline);
    error FederatedEscrow_TooEarly(bytes32 jobId, uint256 deadline);
    error FederatedEscrow_TooLong(uint256 length, uint256 limit);
    /// @notice All places are taken, or too few providers enlisted to begin.
    error FederatedEscrow_WrongCount(bytes32 jobId, uint256 enlisted);
    /// @notice The requester did not sign this account's admission.
    error FederatedEscrow_NotAdmitted(bytes32 jobId, address provider);
    error FederatedEscrow_SeedMismatch(bytes32 jobId);
    /// @notice The block whose hash draws is not mined yet, or its hash is gone: 256 blocks later.
    error FederatedEscrow_NoBlockHash(bytes32 jobId, uint256 drawBlock);
    error FederatedEscrow_WrongRound(bytes32 jobId, uint256 round);
    /// @notice Too few signatures, one that is not of a seat of this job, or not in ascending order.
    error FederatedEscrow_WrongApprovals(bytes32 jobId);
    /// @notice The closings are not the last ones of the job, in order and without gaps.
    error FederatedEscrow_WrongClosings(bytes32 jobId);
    error FederatedEscrow_WrongStrike(bytes32 jobId);
    error FederatedEscrow_WrongProof(bytes32 jobId, address account);
    error FederatedEscrow_NothingToClaim(bytes32 jobId);
    error FederatedEscrow_NothingToRelease(bytes32 jobId);
    /// @notice The closing's pay is more than its rounds have.
    error FederatedEscrow_Overdrawn(bytes32 jobId);
    error FederatedEscrow_WrongPanelSeat(bytes32 jobId, address validator, PanelStatus status);
    error FederatedEscrow_CommitmentMismatch(bytes32 jobId, address validator);
    error FederatedEscrow_AlreadyRated(bytes32 jobId, address rater);
    error FederatedEscrow_WrongDeployment();
    error FederatedEscrow_NotRegistry(address caller);

    // ── Read

    function registry() external view returns (IProviderRegistry);
    function rating() external view returns (IProviderRating);
    function PANEL() external view returns (uint8);
    function MAX_SEATS() external view returns (uint8);
    function COMPENSATION_PERCENT() external view returns (uint8);
    /// @notice Seconds after the end within which pay must be claimed.
    function CLAIM_WINDOW() external view returns (uint256);
    function GUILTY() external view returns (bytes32);
    function CLEAR() external view returns (bytes32);
}
