// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowMoney} from "../escrow/EscrowMoney.sol";
import {IProviderRegistry} from "../interfaces/IProviderRegistry.sol";
import {CampaignState, FixState, IDataCampaign} from "./IDataCampaign.sol";

/// @notice State, ids and checks of {DataCampaign}.
abstract contract CampaignStorage is EscrowMoney, IDataCampaign {
    /// Blocks to the block whose hash draws.
    uint256 internal constant DRAW_AFTER = 2;
    /// Members of a panel.
    uint256 internal constant PANEL = 3;

    /// @inheritdoc IDataCampaign
    IProviderRegistry public immutable registry;

    mapping(bytes32 campaignId => Campaign) internal _campaigns;
    mapping(bytes32 campaignId => mapping(uint32 entry => Entry)) internal _entries;
    mapping(bytes32 campaignId => mapping(uint256 entryAndRow => Row)) internal _rows;
    mapping(bytes32 fixId => Fix) internal _fixes;
    mapping(bytes32 fixId => Panel) internal _panels;
    mapping(bytes32 fixId => mapping(address member => Vote)) internal _votes;
    /// Commitments to fixes, and the blocks that they are in.
    mapping(bytes32 commitment => uint256 blockNumber) internal _committed;
    mapping(bytes32 campaignId => uint256 count) internal _versions;

    constructor(IProviderRegistry registry_) {
        registry = registry_;
    }

    // ── Money

    /// @inheritdoc EscrowMoney
    function _payeeFor(address account, address caller) internal view override returns (address) {
        return registry.payeeFor(account, caller);
    }

    // ── Ids

    function _idOf(Terms calldata terms) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), terms));
    }

    function _fixIdOf(bytes32 campaignId, Place calldata place) internal pure returns (bytes32) {
        return keccak256(abi.encode(campaignId, place));
    }

    function _rowAt(bytes32 campaignId, uint32 entry, uint32 row) internal view returns (Row storage) {
        return _rows[campaignId][(uint256(entry) << 32) | row];
    }

    // ── Checks

    function _loadEntry(bytes32 campaignId, uint32 number) internal view returns (Entry storage entry) {
        entry = _entries[campaignId][number];
        if (entry.author == address(0)) revert DataCampaign_NoEntry(campaignId, number);
    }

    function _loadFix(Terms calldata terms, Place calldata place, FixState state)
        internal
        view
        returns (bytes32 campaignId, bytes32 fixId, Fix storage found)
    {
        campaignId = _idOf(terms);
        fixId = _fixIdOf(campaignId, place);
        found = _fixes[fixId];
        if (found.state != state) revert DataCampaign_InvalidFixStatus(campaignId, found.state);
    }

    function _checkCaller(bytes32 campaignId, address party) internal view {
        if (msg.sender != party) revert DataCampaign_NotParty(campaignId, msg.sender);
    }

    function _checkOpen(bytes32 campaignId, Campaign memory campaign) internal pure {
        if (campaign.state != CampaignState.Open) revert DataCampaign_InvalidStatus(campaignId, campaign.state);
    }

    function _checkLength(uint256 length, uint256 limit) internal pure {
        if (length > limit) revert DataCampaign_TooLong(length, limit);
    }

    function _checkInTime(bytes32 campaignId, uint256 deadline) internal view {
        if (block.timestamp > deadline) revert DataCampaign_TooLate(campaignId, deadline);
    }

    /// @dev The second of `deadline` still belongs to the step that ends with it.
    function _checkOver(bytes32 campaignId, uint256 deadline) internal view {
        if (block.timestamp <= deadline) revert DataCampaign_TooEarly(campaignId, deadline);
    }

    /// @dev The instant `window` seconds from now.
    function _in(uint256 window) internal view returns (uint40) {
        return uint40(block.timestamp + window);
    }
}
