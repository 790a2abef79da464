// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowMoney} from "../interfaces/IEscrowMoney.sol";
import {IDataCampaign} from "./IDataCampaign.sol";

/// @notice Where a market stands. `Open`: authors stake. `Drawing`: a panel is to be drawn. `Voting`: it says what the
/// replay gives. `Settled`: accounts claim. `Void`: no majority, stakes go back. `Unshown`: the owner did not show its
/// test set, stakes go back with the bounty.
enum MarketState {
    None,
    Open,
    Drawing,
    Voting,
    Settled,
    Void,
    Unshown
}

/// @title Rewards by what data improved
/// @notice The prediction market of 0xDeCA10B on the hidden test set of a campaign. An owner offers a bounty. Once a drawn
/// slice of the test set is shown, authors of entries stake on them, as much as they think them worth. After the campaign
/// the owner shows the rest. Then the scores are replayed outside the chain: the model learns entry after entry, each
/// change of the accuracy is an entry's score, and rounds are played in which bounty and stakes move by the scores, until
/// the bounty is gone (`src/protocol/campaign/models/improvement.ts` has it to the wei). A panel drawn from the registry's pool
/// commits to the root of the payouts and shows it; a majority's root is what accounts claim by.
///
/// One market for each campaign, beside its verdicts: neither changes what the other pays. Every state has an end that is
/// anyone's call.
/// @dev What a panel says is the replay of public data, and no stake is slashed for it: who replays knows before it stakes
/// again whether a panel lied.
interface IImprovementMarket is IEscrowMoney {
    /// @param bounty Played for, smallest unit of the campaign's token.
    /// @param leastStake For an entry, at least 2 of the smallest unit.
    /// @param fee Of each of the three members of the panel.
    /// @param showBy By when the test set must be shown, Unix seconds; all fixes of the campaign are decided then.
    /// @param stepWindow To draw, to commit and to reveal, each; seconds.
    /// @param spec Hash of the model that the replay begins with, and how it learns.
    struct Offer {
        uint96 bounty;
        uint96 leastStake;
        uint96 fee;
        uint40 showBy;
        uint24 stepWindow;
        bytes32 spec;
    }

    /// @param pool What accounts can still claim.
    /// @param staked Stakes that were not refunded.
    struct Market {
        address owner;
        MarketState state;
        uint8 slices;
        uint8 entries;
        uint40 openedAt;
        address token;
        uint40 closesAt;
        uint40 deadline;
        Offer offer;
        uint128 pool;
        uint128 staked;
        bytes32 root;
    }

    struct Seat {
        address member;
        bool committed;
        bool revealed;
        bytes32 word;
    }

    event MarketOpened(bytes32 indexed campaignId, address indexed owner, Offer offer);
    event Staked(bytes32 indexed campaignId, uint32 indexed entry, address indexed author, uint256 amount);
    event MarketBegan(bytes32 indexed campaignId, MarketState state, uint256 drawBlock);
    event MarketPanelDrawn(bytes32 indexed campaignId, uint256 members);
    event RootCommitted(bytes32 indexed campaignId, address indexed member);
    event RootRevealed(bytes32 indexed campaignId, address indexed member, bytes32 root);
    event MarketSettled(bytes32 indexed campaignId, MarketState state, bytes32 root);
    event Claimed(bytes32 indexed campaignId, uint32 indexed entry, address indexed account, uint256 amount);
    event Swept(bytes32 indexed campaignId, uint256 amount);

    error ImprovementMarket_InvalidTerms();
    error ImprovementMarket_InvalidStatus(bytes32 campaignId, MarketState state);
    error ImprovementMarket_NotParty(bytes32 campaignId, address account);
    /// @notice Not between the first slice and the others, or the entry has a stake.
    error ImprovementMarket_NotStakeable(bytes32 campaignId, uint32 entry);
    error ImprovementMarket_TooLittle(uint256 amount, uint256 least);
    error ImprovementMarket_TooLate(bytes32 campaignId, uint256 deadline);
    error ImprovementMarket_TooEarly(bytes32 campaignId, uint256 deadline);
    error ImprovementMarket_NoBlockHash(bytes32 campaignId, uint256 drawBlock);
    error ImprovementMarket_CommitmentMismatch(bytes32 campaignId, address member);
    error ImprovementMarket_WrongClaim(bytes32 campaignId, uint32 entry);

    /// @notice Opens the one market of a campaign; its owner's. Takes bounty and the panel's fees.
    function open(IDataCampaign.Terms calldata campaign, Offer calldata offer) external payable;

    /// @notice Stakes on an entry of the caller's, once, while the campaign takes rows.
    function stake(bytes32 campaignId, uint32 entry, uint96 amount) external payable;

    /// @notice Ends the staking once `showBy` is over: to `Drawing`, to `Unshown`, or to `Void` without any stake. Anyone's.
    function begin(bytes32 campaignId) external;

    /// @notice Draws the panel, or sets another block to draw by when the hash is gone. Anyone's.
    function empanel(bytes32 campaignId) external;

    /// @param commitment See {rootCommitmentOf}.
    function commit(bytes32 campaignId, bytes32 commitment) external;

    function reveal(bytes32 campaignId, bytes32 root, bytes32 salt) external;

    /// @notice Ends the panel: a majority's root, or `Void`. Anyone's, once the window to draw, or to reveal, is over.
    function settle(bytes32 campaignId) external;

    /// @notice Credits what the root has for an entry to the account that it names. Anyone's, within {CLAIM_WINDOW}.
    /// @param entry Its number; `type(uint32).max` for what is left, which is the owner's.
    /// @param proof Of the leaf `keccak256(keccak256(abi.encode(entry, account, amount)))`.
    function claim(bytes32 campaignId, uint32 entry, address account, uint128 amount, bytes32[] calldata proof)
        external;

    /// @notice Credits the stake on an entry to its author where the market is `Void`, and its part of the bounty too
    /// where it is `Unshown`. Anyone's.
    function refund(bytes32 campaignId, uint32 entry) external;

    /// @notice Credits what was not claimed in time to the owner. Anyone's.
    function sweep(bytes32 campaignId) external;

    /// @notice How long after {settle} accounts can claim, seconds.
    function CLAIM_WINDOW() external view returns (uint256);

    function campaigns() external view returns (IDataCampaign);

    function marketOf(bytes32 campaignId) external view returns (Market memory);

    function seatsOf(bytes32 campaignId) external view returns (Seat[] memory);

    /// @notice The stake on an entry that was neither claimed nor refunded.
    function stakeOf(bytes32 campaignId, uint32 entry) external view returns (uint256);

    function rootCommitmentOf(bytes32 campaignId, address member, bytes32 root, bytes32 salt)
        external
        pure
        returns (bytes32);
}
