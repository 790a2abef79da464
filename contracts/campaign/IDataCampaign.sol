// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowMoney} from "../interfaces/IEscrowMoney.sol";
import {IProviderRegistry} from "../interfaces/IProviderRegistry.sol";

/// @notice Where a campaign stands: it takes rows while it is open.
enum CampaignState {
    None,
    Open,
    Closed
}

/// @notice Where a fix stands. `Judging`: the owner may judge, then either party may appeal. `Judged`: the loser may
/// appeal. `Drawing`: a panel is to be drawn. `Voting`: it votes. `Taken`: decided and paid.
enum FixState {
    None,
    Judging,
    Judged,
    Drawing,
    Voting,
    Taken
}

/// @notice What was decided about a fix: the row was wrong and the fix is right, or the fix is wrong.
enum FixVerdict {
    None,
    Right,
    Wrong
}

/// @notice Where a member of a panel stands.
enum VoteStatus {
    None,
    Drawn,
    Committed,
    Revealed
}

/// @title Collections of data with deposits
/// @notice An owner locks a price for each row that it wants. Contributors add rows, alone or in batches under a Merkle
/// root, with a deposit for each; the deposit rises with the pace of adding. Within a window anyone can fix a row, with
/// a bond: correct it, remove it, or say that it is not in the data. The owner judges in its window; the loser, or
/// either party where the owner was silent, appeals to a panel drawn from the registry's pool.
///
/// A row that no fix upset is accepted: its author gets deposit and price. Of a fixed row the fixer gets the deposit
/// and, for a corrected row, the reward; of a false fix the author gets the bond. Where nobody decides, the row stands and
/// the bond goes back. All windows are bounded, and every call that ends one is anyone's.
///
/// Rows are public and stay outside the chain. The leaf of a row is
/// `keccak256(keccak256(abi.encode(author, row, digest)))`, pairs sorted as in OpenZeppelin's `MerkleProof`: it names its
/// author, so that a copied root has no rows of the copier's.
///
/// Calls carry the terms, whose hash is the campaign's id. No stake is locked or slashed here: what a panel finds about a
/// row is an opinion, and no proof.
interface IDataCampaign is IEscrowMoney {
    /// @param token Zero: the coin. All sums of a campaign are in its smallest unit.
    /// @param deposit Least deposit for a row, at least the fees of a panel.
    /// @param price Paid for each accepted row.
    /// @param reward Paid from the price of a row to whom corrects it, at most the price: more would pay an author for
    /// adding bad rows and fixing them under another name.
    /// @param bond Paid with a fix, at least the fees of a panel.
    /// @param fee Of each member of a panel.
    /// @param rows Most rows; their prices are locked when the campaign is opened.
    /// @param capacity Rows within one `fixWindow` that double the deposit of the next.
    /// @param closesAt After it no row is taken. Unix seconds.
    /// @param fixWindow How long after it was added a row can be fixed, seconds.
    /// @param stepWindow To judge, to appeal, to draw, to commit and to reveal, each; seconds.
    /// @param slices Parts of the hidden test set, at most 32; zero: there is none.
    /// @param specHash Of what the rows are for, in the campaign's file: form, model, policy.
    /// @param examRoot Of the tree over the salted slices of the hidden test set; zero without any.
    struct Terms {
        address owner;
        address token;
        uint96 deposit;
        uint96 price;
        uint96 reward;
        uint96 bond;
        uint96 fee;
        uint32 rows;
        uint32 capacity;
        uint40 closesAt;
        uint24 fixWindow;
        uint24 stepWindow;
        uint8 slices;
        bytes32 specHash;
        bytes32 examRoot;
    }

    /// @param pace Rows that were added and have not drained yet, times `fixWindow`, as of `pacedAt`.
    /// @param drawBlock Block whose hash draws the slice that is shown first; zero when it is drawn.
    /// @param first That slice.
    /// @param revealed A bit for each slice that was shown.
    struct Campaign {
        CampaignState state;
        uint32 left;
        uint32 entries;
        uint40 pacedAt;
        uint64 pace;
        uint40 drawBlock;
        uint8 first;
        uint32 revealed;
    }

    /// @notice Rows that were added by one call.
    /// @param contested Rows of which a fix is open or was found right: not part of {refund}.
    struct Entry {
        address author;
        uint40 addedAt;
        uint32 count;
        bool refunded;
        uint128 deposit;
        uint32 contested;
        bytes32 root;
    }

    /// @notice Which row, and which of the fixes of it, counted from zero.
    struct Place {
        uint32 entry;
        uint32 row;
        uint32 fix;
    }

    /// @param original Digest of the row as it was added; zero says that the batch's data has no such row.
    /// @param corrected Digest of the row that takes its place; zero removes it.
    /// @param proof Of the original row in the entry's tree; empty for a row that is not there.
    struct Correction {
        uint32 entry;
        uint32 row;
        bytes32 original;
        bytes32 corrected;
        bytes32 salt;
        bytes32[] proof;
    }

    /// @param fixes How many fixes there were of a row.
    /// @param taken How many of them are decided; they are in the order in which they came.
    struct Row {
        uint32 fixes;
        uint32 taken;
        bool isFixed;
    }

    /// @param byFixer Whether the fixer appealed, not the author.
    struct Fix {
        address fixer;
        uint40 deadline;
        FixState state;
        FixVerdict verdict;
        bool removes;
        bool byFixer;
    }

    /// @param committed How many have committed.
    /// @param right Votes for the fix among the revealed.
    struct Panel {
        uint40 drawBlock;
        uint8 committed;
        uint8 revealed;
        uint8 right;
        address[] members;
    }

    struct Vote {
        VoteStatus status;
        bool right;
        bytes30 word;
    }

    /// @notice A model that a job trained on the rows of a campaign. The owner's word, which everybody can check: against
    /// the job, the rows and the model itself.
    /// @param number From one, each once.
    /// @param rows How many rows it was trained on.
    /// @param asOf Block up to which the campaign was read for them.
    /// @param jobId It binds chain and escrow.
    /// @param rowsDigest Of the rows, each ended by a line feed: keccak256.
    /// @param modelDigest Of the job's result.
    /// @param score Of the result on the hidden test set, as the job has it.
    struct Version {
        uint32 number;
        uint32 rows;
        uint40 asOf;
        bytes32 jobId;
        bytes32 rowsDigest;
        bytes32 modelDigest;
        int64 score;
    }

    event Opened(bytes32 indexed campaignId, address indexed owner, Terms terms, bytes description);
    event Added(
        bytes32 indexed campaignId,
        uint32 indexed entry,
        address indexed author,
        bytes32 root,
        uint32 count,
        uint256 deposit,
        bytes locator
    );
    event FixCommitted(bytes32 indexed commitment);
    event FixAdded(
        bytes32 indexed campaignId,
        uint32 indexed entry,
        uint32 indexed row,
        uint32 fix,
        address fixer,
        bytes32 original,
        bytes32 corrected,
        bytes content
    );
    event FixJudged(bytes32 indexed campaignId, Place place, FixVerdict verdict);
    event Appealed(bytes32 indexed campaignId, Place place, address appellant, uint256 drawBlock);
    event PanelMissed(bytes32 indexed campaignId, Place place, uint256 drawBlock);
    event PanelDrawn(bytes32 indexed campaignId, Place place, address[] members);
    event VoteCommitted(bytes32 indexed campaignId, Place place, address indexed member);
    event VoteRevealed(bytes32 indexed campaignId, Place place, address indexed member, bool right);
    event FixTaken(bytes32 indexed campaignId, Place place, FixVerdict verdict);
    event Refunded(bytes32 indexed campaignId, uint32 indexed entry, uint256 rows);
    event SliceDrawn(bytes32 indexed campaignId, uint8 slice);
    event SliceRevealed(bytes32 indexed campaignId, uint8 indexed slice, bytes32 digest, bytes32 salt, bytes locator);
    event CampaignClosed(bytes32 indexed campaignId, uint256 left);
    event VersionPublished(bytes32 indexed campaignId, Version version, bytes without, bytes locator);

    error DataCampaign_InvalidTerms();
    error DataCampaign_InvalidStatus(bytes32 campaignId, CampaignState state);
    error DataCampaign_InvalidFixStatus(bytes32 campaignId, FixState state);
    error DataCampaign_NotParty(bytes32 campaignId, address account);
    /// @notice No rows, or more than the campaign still takes.
    error DataCampaign_WrongCount(bytes32 campaignId, uint256 count, uint256 left);
    /// @notice The deposit for a row has risen above what the caller allowed.
    error DataCampaign_TooDear(uint256 deposit, uint256 most);
    error DataCampaign_NoEntry(bytes32 campaignId, uint32 entry);
    error DataCampaign_NoRow(bytes32 campaignId, uint32 entry, uint32 row);
    error DataCampaign_WrongProof(bytes32 campaignId, uint32 entry, uint32 row);
    error DataCampaign_AlreadyFixed(bytes32 campaignId, uint32 entry, uint32 row);
    error DataCampaign_AlreadyCommitted(bytes32 commitment);
    /// @notice No commitment of the caller to this correction is in an earlier block.
    error DataCampaign_NotCommitted(bytes32 commitment);
    /// @notice Earlier fixes of the row must be taken first.
    error DataCampaign_WrongOrder(bytes32 campaignId, uint32 next);
    error DataCampaign_AlreadyRefunded(bytes32 campaignId, uint32 entry);
    error DataCampaign_TooLate(bytes32 campaignId, uint256 deadline);
    error DataCampaign_TooEarly(bytes32 campaignId, uint256 deadline);
    error DataCampaign_TooLong(uint256 length, uint256 limit);
    error DataCampaign_NoBlockHash(bytes32 campaignId, uint256 drawBlock);
    error DataCampaign_WrongVote(bytes32 campaignId, address member, VoteStatus status);
    /// @notice Another slice is to be shown first, this one was shown, or there is none of this number.
    error DataCampaign_WrongSlice(bytes32 campaignId, uint8 slice);
    /// @notice The slice is not what the owner committed to.
    error DataCampaign_WrongSliceProof(bytes32 campaignId, uint8 slice);
    /// @notice Versions are numbered one after the other, each number once.
    error DataCampaign_WrongNumber(bytes32 campaignId, uint256 next);
    error DataCampaign_CommitmentMismatch(bytes32 campaignId, address member);

    /// @notice Opens a campaign and takes the price of all its rows from the owner, who must be the caller.
    /// @param description What contributors are told, or where it is; at most 1 KiB.
    function open(Terms calldata terms, bytes calldata description) external payable returns (bytes32 campaignId);

    /// @notice Adds `count` rows and takes their deposits; coin beyond them is credited to the caller, because the deposit
    /// falls by the second.
    /// @dev Warning: publish rows when the call is mined, not before: a copy that is added first is the older one.
    /// @param root Of the tree over the rows, whatever their number.
    /// @param mostDeposit The call reverts where a row's deposit is higher.
    /// @param locator Where the rows are, as a CID; at most 128 bytes.
    /// @return entry Number of the entry in its campaign, from zero.
    function add(Terms calldata terms, bytes32 root, uint32 count, uint128 mostDeposit, bytes calldata locator)
        external
        payable
        returns (uint32 entry);

    /// @notice Commits to a fix, so that who sees it cannot run ahead; {fix} follows in a later block.
    /// @param commitment See {fixCommitmentOf}.
    function commitFix(bytes32 commitment) external;

    /// @notice Fixes a row, with the bond. Several fixes of one row are judged side by side and taken in order.
    /// @param content The corrected row, or where it is; at most 1 KiB.
    function fix(Terms calldata terms, Correction calldata correction, bytes calldata content)
        external
        payable
        returns (uint32 number);

    /// @notice The owner says whether a fix is right.
    function judge(Terms calldata terms, Place calldata place, bool right) external;

    /// @notice Asks for a panel and pays its fees: the loser of the owner's verdict in one window after it, or the
    /// author or the fixer in one window after the owner's silence. What the winner wins covers the fees.
    function appeal(Terms calldata terms, Place calldata place) external payable;

    /// @notice Draws the panel, or sets another block to draw by when the hash is gone. Anyone's.
    function empanel(Terms calldata terms, Place calldata place) external;

    /// @param commitment See {voteCommitmentOf}.
    function commitVote(Terms calldata terms, Place calldata place, bytes32 commitment) external;

    function revealVote(Terms calldata terms, Place calldata place, bool right, bytes32 salt) external;

    /// @notice Ends a fix that is decided or out of time, and credits what it won or lost. Anyone's.
    function take(Terms calldata terms, Place calldata place) external;

    /// @notice Credits deposit and price of all rows that no fix holds or has upset to their author. Anyone's, once,
    /// after the window of the entry; contested rows that stand later are credited by {take}.
    function refund(Terms calldata terms, uint32 entry) external;

    /// @notice Ends the adding and credits what no row has taken to the owner: the owner's at any time, anyone's after
    /// `closesAt`. Rows that were added keep what is locked for them.
    function close(Terms calldata terms) external;

    /// @notice Draws the slice of the hidden test set that is shown first, so that contributors see a part that the owner
    /// did not choose; or sets another block to draw by when the hash is gone. Anyone's.
    function drawSlice(Terms calldata terms) external;

    /// @notice Shows a slice of the hidden test set; the owner's, the drawn one first. What differs from what the owner
    /// committed to is refused.
    /// @param digest Of the slice's rows.
    /// @param salt Without it a known data set could be recognised by its hash.
    /// @param proof Of the leaf `keccak256(keccak256(abi.encode(slice, salt, digest)))` in the tree.
    /// @param locator Where the rows are; at most 128 bytes.
    function reveal(
        Terms calldata terms,
        uint8 slice,
        bytes32 digest,
        bytes32 salt,
        bytes32[] calldata proof,
        bytes calldata locator
    ) external;

    /// @notice Tells everybody of a model; the owner's, in whatever state the campaign is. No money depends on it.
    /// @param without Numbers of entries whose rows it was not trained on, as their author did not serve them, four bytes
    /// each; at most 128 bytes.
    /// @param locator Where the model is, and what opens it; at most 192 bytes.
    function publish(Terms calldata terms, Version calldata version, bytes calldata without, bytes calldata locator)
        external;

    /// @notice The registry whose pool panels are drawn from.
    function registry() external view returns (IProviderRegistry);

    function campaignIdOf(Terms calldata terms) external view returns (bytes32);

    function campaignOf(bytes32 campaignId) external view returns (Campaign memory);

    function entryOf(bytes32 campaignId, uint32 entry) external view returns (Entry memory);

    function rowOf(bytes32 campaignId, uint32 entry, uint32 row) external view returns (Row memory);

    function fixOf(bytes32 campaignId, Place calldata place) external view returns (Fix memory);

    function panelOf(bytes32 campaignId, Place calldata place) external view returns (Panel memory);

    function voteOf(bytes32 campaignId, Place calldata place, address member) external view returns (VoteStatus);

    /// @notice How many versions were published.
    function versionsOf(bytes32 campaignId) external view returns (uint256);

    /// @notice What a row costs now when `count` are added, smallest unit.
    function depositOf(Terms calldata terms, uint32 count) external view returns (uint256);

    function fixCommitmentOf(bytes32 campaignId, address fixer, Correction calldata correction)
        external
        pure
        returns (bytes32);

    function voteCommitmentOf(bytes32 campaignId, Place calldata place, address member, bool right, bytes32 salt)
        external
        pure
        returns (bytes32);
}
