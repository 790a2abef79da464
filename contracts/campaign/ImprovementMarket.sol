// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {EscrowMoney} from "../escrow/EscrowMoney.sol";
import {IProviderRegistry} from "../interfaces/IProviderRegistry.sol";
import {CampaignState, IDataCampaign} from "./IDataCampaign.sol";
import {IImprovementMarket, MarketState} from "./IImprovementMarket.sol";

/// @title Rewards by what data improved; see {IImprovementMarket}
/// @dev Holds its own money and reads the campaigns' contract, which runs no stranger's code.
contract ImprovementMarket is EscrowMoney, IImprovementMarket {
    /// Blocks to the block whose hash draws.
    uint256 private constant DRAW_AFTER = 2;
    uint256 private constant PANEL = 3;
    /// Members of the pool that a draw looks at for one seat.
    uint256 private constant PROBES = 16;
    /// Entries with stakes: a replay learns each of them again once for each that runs out of stake.
    uint256 private constant MAX_ENTRIES = 64;
    uint256 private constant MIN_WINDOW = 300;
    /// Windows of a fix after the one in which it is made: to judge, appeal, draw, commit and reveal, and one to take.
    uint256 private constant FIX_STEPS = 6;
    /// @inheritdoc IImprovementMarket
    uint256 public constant CLAIM_WINDOW = 90 days;

    /// @inheritdoc IImprovementMarket
    IDataCampaign public immutable campaigns;
    IProviderRegistry private immutable _registry;

    mapping(bytes32 campaignId => Market) private _markets;
    mapping(bytes32 campaignId => Seat[]) private _seats;
    mapping(bytes32 campaignId => uint256 blockNumber) private _drawBlocks;
    mapping(bytes32 campaignId => mapping(uint32 entry => uint256)) private _stakes;
    mapping(bytes32 campaignId => mapping(uint32 entry => bool)) private _claimed;
    mapping(bytes32 campaignId => mapping(address account => bool)) private _isParty;

    constructor(IDataCampaign campaigns_) {
        (campaigns, _registry) = (campaigns_, campaigns_.registry());
    }

    /// @inheritdoc IImprovementMarket
    function open(IDataCampaign.Terms calldata campaign, Offer calldata offer) external payable {
        // Check
        bytes32 campaignId = campaigns.campaignIdOf(campaign);
        if (msg.sender != campaign.owner) revert ImprovementMarket_NotParty(campaignId, msg.sender);
        Market storage market = _markets[campaignId];
        if (market.state != MarketState.None) revert ImprovementMarket_InvalidStatus(campaignId, market.state);
        IDataCampaign.Campaign memory found = campaigns.campaignOf(campaignId);
        bool fresh = found.state == CampaignState.Open && !_isMore(found.revealed);
        uint256 decided = uint256(campaign.closesAt) + campaign.fixWindow + FIX_STEPS * campaign.stepWindow;
        bool valid = campaign.slices > 1 && offer.bounty != 0 && offer.leastStake > 1 && offer.showBy >= decided
            && offer.stepWindow >= MIN_WINDOW;
        if (!fresh || !valid) revert ImprovementMarket_InvalidTerms();

        // Effect
        (market.owner, market.state, market.slices) = (campaign.owner, MarketState.Open, campaign.slices);
        (market.token, market.closesAt, market.openedAt) = (campaign.token, campaign.closesAt, uint40(block.timestamp));
        market.offer = offer;
        _isParty[campaignId][campaign.owner] = true;
        emit MarketOpened(campaignId, msg.sender, offer);

        // Interaction
        _take(campaign.token, uint256(offer.bounty) + _feesOf(offer));
    }

    /// @inheritdoc IImprovementMarket
    function stake(bytes32 campaignId, uint32 entry, uint96 amount) external payable {
        // Check
        Market storage market = _load(campaignId, MarketState.Open);
        if (block.timestamp > market.closesAt) revert ImprovementMarket_TooLate(campaignId, market.closesAt);
        if (amount < market.offer.leastStake) revert ImprovementMarket_TooLittle(amount, market.offer.leastStake);
        if (msg.sender != campaigns.entryOf(campaignId, entry).author) {
            revert ImprovementMarket_NotParty(campaignId, msg.sender);
        }
        uint256 shown = campaigns.campaignOf(campaignId).revealed;
        bool onlyFirst = shown != 0 && !_isMore(shown);
        if (!onlyFirst || _stakes[campaignId][entry] != 0 || market.entries == MAX_ENTRIES) {
            revert ImprovementMarket_NotStakeable(campaignId, entry);
        }

        // Effect
        _stakes[campaignId][entry] = amount;
        ++market.entries;
        market.staked += amount;
        _isParty[campaignId][msg.sender] = true;
        emit Staked(campaignId, entry, msg.sender, amount);

        // Interaction
        _take(market.token, amount);
    }

    /// @inheritdoc IImprovementMarket
    function begin(bytes32 campaignId) external {
        // Check
        Market storage market = _load(campaignId, MarketState.Open);
        _checkOver(campaignId, market.offer.showBy);

        // Effect
        uint256 whole = uint256(market.offer.bounty) + _feesOf(market.offer);
        uint256 drawBlock = 0;
        if (market.entries == 0) {
            market.state = MarketState.Void;
            _credit(market.owner, market.token, whole);
        } else if (campaigns.campaignOf(campaignId).revealed != (uint256(1) << market.slices) - 1) {
            market.state = MarketState.Unshown;
            market.pool = uint128(whole + market.staked);
        } else {
            drawBlock = block.number + DRAW_AFTER;
            (market.state, market.deadline) = (MarketState.Drawing, _in(market.offer.stepWindow));
            _drawBlocks[campaignId] = drawBlock;
        }
        emit MarketBegan(campaignId, market.state, drawBlock);
    }

    /// @inheritdoc IImprovementMarket
    function empanel(bytes32 campaignId) external {
        // Check
        Market storage market = _load(campaignId, MarketState.Drawing);
        _checkInTime(campaignId, market.deadline);
        uint256 drawBlock = _drawBlocks[campaignId];
        if (block.number <= drawBlock) revert ImprovementMarket_NoBlockHash(campaignId, drawBlock);

        // Effect
        bytes32 hash = blockhash(drawBlock);
        if (hash == 0) {
            _drawBlocks[campaignId] = block.number + DRAW_AFTER;
            return;
        }
        (market.state, market.deadline) = (MarketState.Voting, _in(market.offer.stepWindow));
        Seat[] storage seats = _seats[campaignId];
        for (uint256 i = 0; i < PANEL; ++i) {
            address member = _find(campaignId, market, uint256(keccak256(abi.encode(hash, campaignId, i))) >> 8);
            if (member == address(0)) continue;
            _isParty[campaignId][member] = true;
            seats.push(Seat(member, false, false, 0));
        }
        emit MarketPanelDrawn(campaignId, seats.length);
    }

    /// @inheritdoc IImprovementMarket
    function commit(bytes32 campaignId, bytes32 commitment) external {
        // Check
        Market storage market = _load(campaignId, MarketState.Voting);
        Seat storage seat = _seatOf(campaignId);
        _checkInTime(campaignId, market.deadline);
        if (seat.committed) revert ImprovementMarket_NotParty(campaignId, msg.sender);

        // Effect
        (seat.committed, seat.word) = (true, commitment);
        emit RootCommitted(campaignId, msg.sender);
    }

    /// @inheritdoc IImprovementMarket
    function reveal(bytes32 campaignId, bytes32 root, bytes32 salt) external {
        // Check
        Market storage market = _load(campaignId, MarketState.Voting);
        Seat storage seat = _seatOf(campaignId);
        _checkOver(campaignId, market.deadline);
        _checkInTime(campaignId, uint256(market.deadline) + market.offer.stepWindow);
        bool known = seat.committed && !seat.revealed;
        if (!known || seat.word != _commitmentOf(campaignId, msg.sender, root, salt)) {
            revert ImprovementMarket_CommitmentMismatch(campaignId, msg.sender);
        }

        // Effect
        (seat.revealed, seat.word) = (true, root);
        emit RootRevealed(campaignId, msg.sender, root);
    }

    /// @inheritdoc IImprovementMarket
    function settle(bytes32 campaignId) external {
        // Check
        Market storage market = _markets[campaignId];
        bool voted = market.state == MarketState.Voting;
        if (!voted) _load(campaignId, MarketState.Drawing);
        _checkOver(campaignId, uint256(market.deadline) + (voted ? market.offer.stepWindow : 0));

        // Effect
        (bytes32 root, bool decided) = _majorityOf(campaignId);
        uint256 rest = _feesOf(market.offer) - _payPanel(campaignId, market, root, decided);
        market.state = decided ? MarketState.Settled : MarketState.Void;
        market.deadline = _in(CLAIM_WINDOW);
        market.root = root;
        market.pool = market.staked;
        if (decided) market.pool += market.offer.bounty;
        else rest += market.offer.bounty;
        _credit(market.owner, market.token, rest);
        emit MarketSettled(campaignId, market.state, root);
    }

    /// @inheritdoc IImprovementMarket
    function claim(bytes32 campaignId, uint32 entry, address account, uint128 amount, bytes32[] calldata proof)
        external
    {
        // Check
        Market storage market = _load(campaignId, MarketState.Settled);
        _checkInTime(campaignId, market.deadline);
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(entry, account, amount))));
        bool known = MerkleProof.verifyCalldata(proof, market.root, leaf);
        if (!known || _claimed[campaignId][entry] || amount > market.pool) {
            revert ImprovementMarket_WrongClaim(campaignId, entry);
        }

        // Effect
        _claimed[campaignId][entry] = true;
        market.pool -= amount;
        emit Claimed(campaignId, entry, account, amount);
        _credit(account, market.token, amount);
    }

    /// @inheritdoc IImprovementMarket
    function refund(bytes32 campaignId, uint32 entry) external {
        // Check
        Market storage market = _markets[campaignId];
        if (market.state != MarketState.Unshown) _load(campaignId, MarketState.Void);
        uint256 own = _stakes[campaignId][entry];
        if (own == 0) revert ImprovementMarket_WrongClaim(campaignId, entry);

        // Effect
        // The last one gets what dividing has left.
        uint256 amount = uint256(market.pool) * own / market.staked;
        _stakes[campaignId][entry] = 0;
        market.pool -= uint128(amount);
        market.staked -= uint128(own);
        address author = campaigns.entryOf(campaignId, entry).author;
        emit Claimed(campaignId, entry, author, amount);
        _credit(author, market.token, amount);
    }

    /// @inheritdoc IImprovementMarket
    function sweep(bytes32 campaignId) external {
        // Check
        Market storage market = _load(campaignId, MarketState.Settled);
        _checkOver(campaignId, market.deadline);

        // Effect
        uint256 amount = market.pool;
        market.pool = 0;
        emit Swept(campaignId, amount);
        _credit(market.owner, market.token, amount);
    }

    // ── Read

    /// @inheritdoc IImprovementMarket
    function marketOf(bytes32 campaignId) external view returns (Market memory) {
        return _markets[campaignId];
    }

    /// @inheritdoc IImprovementMarket
    function seatsOf(bytes32 campaignId) external view returns (Seat[] memory) {
        return _seats[campaignId];
    }

    /// @inheritdoc IImprovementMarket
    function stakeOf(bytes32 campaignId, uint32 entry) external view returns (uint256) {
        return _stakes[campaignId][entry];
    }

    /// @inheritdoc IImprovementMarket
    function rootCommitmentOf(bytes32 campaignId, address member, bytes32 root, bytes32 salt)
        external
        pure
        returns (bytes32)
    {
        return _commitmentOf(campaignId, member, root, salt);
    }

    // ── Steps

    /// @dev The root that more than half of the seats have shown.
    function _majorityOf(bytes32 campaignId) private view returns (bytes32 root, bool decided) {
        Seat[] memory seats = _seats[campaignId];
        for (uint256 i = 0; i < seats.length; ++i) {
            uint256 same = 0;
            for (uint256 j = 0; j < seats.length; ++j) {
                if (seats[i].revealed && seats[j].revealed && seats[j].word == seats[i].word) ++same;
            }
            if (2 * same > seats.length) return (seats[i].word, true);
        }
    }

    /// @dev Pays the members that revealed, those that a majority outvoted left out.
    function _payPanel(bytes32 campaignId, Market storage market, bytes32 root, bool decided)
        private
        returns (uint256 paid)
    {
        Seat[] memory seats = _seats[campaignId];
        for (uint256 i = 0; i < seats.length; ++i) {
            if (!seats[i].revealed || (decided && seats[i].word != root)) continue;
            paid += market.offer.fee;
            _credit(seats[i].member, market.token, market.offer.fee);
        }
    }

    /// @dev A member of the pool as it was when the market was opened, no party of it and without a seat; or zero.
    function _find(bytes32 campaignId, Market storage market, uint256 random) private view returns (address) {
        uint256 fee = market.token == COIN ? market.offer.fee : type(uint256).max;
        for (uint256 probe = 0; probe < PROBES; ++probe) {
            address who = _registry.candidate(random + probe, market.openedAt, 0, fee);
            if (who != address(0) && !_isParty[campaignId][who]) return who;
        }
        return address(0);
    }

    function _seatOf(bytes32 campaignId) private view returns (Seat storage) {
        Seat[] storage seats = _seats[campaignId];
        for (uint256 i = 0; i < seats.length; ++i) {
            if (seats[i].member == msg.sender) return seats[i];
        }
        revert ImprovementMarket_NotParty(campaignId, msg.sender);
    }

    function _load(bytes32 campaignId, MarketState state) private view returns (Market storage market) {
        market = _markets[campaignId];
        if (market.state != state) revert ImprovementMarket_InvalidStatus(campaignId, market.state);
    }

    function _checkInTime(bytes32 campaignId, uint256 deadline) private view {
        if (block.timestamp > deadline) revert ImprovementMarket_TooLate(campaignId, deadline);
    }

    /// @dev The second of `deadline` still belongs to the step that ends with it.
    function _checkOver(bytes32 campaignId, uint256 deadline) private view {
        if (block.timestamp <= deadline) revert ImprovementMarket_TooEarly(campaignId, deadline);
    }

    /// @dev Whether more than one slice was shown, of a bit for each.
    function _isMore(uint256 shown) private pure returns (bool) {
        return shown != 0 && shown & (shown - 1) != 0;
    }

    function _in(uint256 window) private view returns (uint40) {
        return uint40(block.timestamp + window);
    }

    function _feesOf(Offer memory offer) private pure returns (uint256) {
        return PANEL * offer.fee;
    }

    function _commitmentOf(bytes32 campaignId, address member, bytes32 root, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(campaignId, member, root, salt));
    }

    // ── Money

    /// @inheritdoc EscrowMoney
    function _payeeFor(address account, address caller) internal view override returns (address) {
        return _registry.payeeFor(account, caller);
    }
}
