// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {CampaignPanel} from "./campaign/CampaignPanel.sol";
import {CampaignStorage} from "./campaign/CampaignStorage.sol";
import {CampaignState, FixState, FixVerdict, IDataCampaign} from "./campaign/IDataCampaign.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";

/// @title Data campaigns: their rows, fixes and money; see {IDataCampaign}
/// @dev Stands beside the market's escrows: it reads the registry's pool and writes nothing there. In each call `Check`
/// reads and reverts, `Effect` writes this contract's storage and emits, `Interaction` calls another contract.
contract DataCampaign is CampaignPanel {
    /// The least windows, seconds; see {Schedule}.
    uint24 private constant MIN_WINDOW = 300;
    uint256 private constant MAX_CONTENT_BYTES = 1024;
    uint256 private constant MAX_LOCATOR_BYTES = 128;
    uint256 private constant MAX_SLICES = 32;
    /// Of {publish}: entries left out, and a locator with the key that opens the model.
    uint256 private constant MAX_WITHOUT_BYTES = 128;
    uint256 private constant MAX_MODEL_BYTES = 192;

    constructor(IProviderRegistry registry_) CampaignStorage(registry_) {}

    /// @inheritdoc IDataCampaign
    function open(Terms calldata terms, bytes calldata description) external payable returns (bytes32 campaignId) {
        // Check
        campaignId = _idOf(terms);
        _checkCaller(campaignId, terms.owner);
        CampaignState state = _campaigns[campaignId].state;
        if (state != CampaignState.None) revert DataCampaign_InvalidStatus(campaignId, state);
        if (!_isValid(terms)) revert DataCampaign_InvalidTerms();
        _checkInTime(campaignId, terms.closesAt);
        _checkLength(description.length, MAX_CONTENT_BYTES);

        // Effect
        uint40 drawBlock = terms.slices == 0 ? 0 : uint40(block.number + DRAW_AFTER);
        _campaigns[campaignId] =
            Campaign(CampaignState.Open, terms.rows, 0, uint40(block.timestamp), 0, drawBlock, 0, 0);
        emit Opened(campaignId, terms.owner, terms, description);

        // Interaction
        _take(terms.token, uint256(terms.rows) * terms.price);
    }

    /// @inheritdoc IDataCampaign
    function add(Terms calldata terms, bytes32 root, uint32 count, uint128 mostDeposit, bytes calldata locator)
        external
        payable
        returns (uint32 entry)
    {
        // Check
        bytes32 campaignId = _idOf(terms);
        Campaign memory campaign = _campaigns[campaignId];
        _checkOpen(campaignId, campaign);
        _checkInTime(campaignId, terms.closesAt);
        if (count == 0 || count > campaign.left) revert DataCampaign_WrongCount(campaignId, count, campaign.left);
        _checkLength(locator.length, MAX_LOCATOR_BYTES);
        uint256 pace = _paceOf(terms, campaign);
        uint256 deposit = _depositOf(terms, pace, count);
        if (deposit > mostDeposit) revert DataCampaign_TooDear(deposit, mostDeposit);

        // Effect
        entry = campaign.entries;
        ++campaign.entries;
        campaign.left -= count;
        campaign.pacedAt = uint40(block.timestamp);
        campaign.pace = uint64(pace + uint256(count) * terms.fixWindow);
        _campaigns[campaignId] = campaign;
        _entries[campaignId][entry] =
            Entry(msg.sender, uint40(block.timestamp), count, false, uint128(deposit), 0, root);
        emit Added(campaignId, entry, msg.sender, root, count, deposit, locator);
        uint256 sum = count * deposit;
        // The deposit falls by the second: coin that was sent for one as it was stays the caller's.
        if (terms.token == COIN && msg.value > sum) {
            _credit(msg.sender, COIN, msg.value - sum);
            sum = msg.value;
        }

        // Interaction
        _take(terms.token, sum);
    }

    /// @inheritdoc IDataCampaign
    function commitFix(bytes32 commitment) external {
        // Check
        if (_committed[commitment] != 0) revert DataCampaign_AlreadyCommitted(commitment);

        // Effect
        _committed[commitment] = block.number;
        emit FixCommitted(commitment);
    }

    /// @inheritdoc IDataCampaign
    function fix(Terms calldata terms, Correction calldata correction, bytes calldata content)
        external
        payable
        returns (uint32 number)
    {
        // Check
        bytes32 campaignId = _idOf(terms);
        Entry storage entry = _loadEntry(campaignId, correction.entry);
        _checkInTime(campaignId, uint256(entry.addedAt) + terms.fixWindow);
        _checkLength(content.length, MAX_CONTENT_BYTES);
        if (msg.sender == entry.author) revert DataCampaign_NotParty(campaignId, msg.sender);
        _checkRow(campaignId, entry, correction);
        Row memory row = _rowAt(campaignId, correction.entry, correction.row);
        if (row.isFixed) revert DataCampaign_AlreadyFixed(campaignId, correction.entry, correction.row);
        bytes32 commitment = _fixCommitmentOf(campaignId, msg.sender, correction);
        uint256 committedIn = _committed[commitment];
        if (committedIn == 0 || committedIn == block.number) revert DataCampaign_NotCommitted(commitment);

        // Effect
        delete _committed[commitment];
        if (row.fixes == row.taken) ++entry.contested;
        number = row.fixes;
        ++row.fixes;
        _rows[campaignId][(uint256(correction.entry) << 32) | correction.row] = row;
        _fixes[keccak256(abi.encode(campaignId, Place(correction.entry, correction.row, number)))] = Fix(
            msg.sender, _in(terms.stepWindow), FixState.Judging, FixVerdict.None, correction.corrected == 0, false
        );
        emit FixAdded(
            campaignId,
            correction.entry,
            correction.row,
            number,
            msg.sender,
            correction.original,
            correction.corrected,
            content
        );

        // Interaction
        _take(terms.token, terms.bond);
    }

    /// @inheritdoc IDataCampaign
    function judge(Terms calldata terms, Place calldata place, bool right) external {
        // Check
        (bytes32 campaignId,, Fix storage found) = _loadFix(terms, place, FixState.Judging);
        _checkCaller(campaignId, terms.owner);
        _checkInTime(campaignId, found.deadline);

        // Effect
        FixVerdict verdict = right ? FixVerdict.Right : FixVerdict.Wrong;
        (found.state, found.verdict, found.deadline) = (FixState.Judged, verdict, _in(terms.stepWindow));
        emit FixJudged(campaignId, place, verdict);
    }

    /// @inheritdoc IDataCampaign
    function take(Terms calldata terms, Place calldata place) external {
        // Check
        bytes32 campaignId = _idOf(terms);
        bytes32 fixId = _fixIdOf(campaignId, place);
        Fix memory found = _fixes[fixId];
        _checkRipe(campaignId, fixId, terms, _fixes[fixId]);
        Row memory row = _rowAt(campaignId, place.entry, place.row);
        if (place.fix != row.taken) revert DataCampaign_WrongOrder(campaignId, row.taken);

        // Effect
        Entry storage entry = _entries[campaignId][place.entry];
        _fixes[fixId].state = FixState.Taken;
        ++row.taken;
        bool appealed = found.state == FixState.Drawing || found.state == FixState.Voting;
        FixVerdict verdict = appealed ? _payPanel(fixId, terms, found, entry.author) : found.verdict;
        // A fix that came after the one that was right changes nothing.
        if (row.isFixed) verdict = FixVerdict.None;
        emit FixTaken(campaignId, place, verdict);
        if (verdict == FixVerdict.Right) {
            row.isFixed = true;
            uint256 reward = found.removes ? 0 : terms.reward;
            _credit(found.fixer, terms.token, uint256(terms.bond) + entry.deposit + reward);
            _credit(terms.owner, terms.token, terms.price - reward);
        } else {
            _credit(verdict == FixVerdict.Wrong ? entry.author : found.fixer, terms.token, terms.bond);
        }
        _rows[campaignId][(uint256(place.entry) << 32) | place.row] = row;
        if (row.isFixed || row.taken != row.fixes) return;
        // No fix holds the row any more.
        --entry.contested;
        if (entry.refunded) _credit(entry.author, terms.token, uint256(entry.deposit) + terms.price);
    }

    /// @inheritdoc IDataCampaign
    function refund(Terms calldata terms, uint32 number) external {
        // Check
        bytes32 campaignId = _idOf(terms);
        Entry storage entry = _loadEntry(campaignId, number);
        if (entry.refunded) revert DataCampaign_AlreadyRefunded(campaignId, number);
        _checkOver(campaignId, uint256(entry.addedAt) + terms.fixWindow);

        // Effect
        entry.refunded = true;
        uint256 rows = entry.count - entry.contested;
        emit Refunded(campaignId, number, rows);
        _credit(entry.author, terms.token, rows * (uint256(entry.deposit) + terms.price));
    }

    /// @inheritdoc IDataCampaign
    function close(Terms calldata terms) external {
        // Check
        bytes32 campaignId = _idOf(terms);
        Campaign memory campaign = _campaigns[campaignId];
        _checkOpen(campaignId, campaign);
        if (block.timestamp <= terms.closesAt) _checkCaller(campaignId, terms.owner);

        // Effect
        _campaigns[campaignId].state = CampaignState.Closed;
        _campaigns[campaignId].left = 0;
        emit CampaignClosed(campaignId, campaign.left);
        _credit(terms.owner, terms.token, uint256(campaign.left) * terms.price);
    }

    // ── The hidden test set

    /// @inheritdoc IDataCampaign
    function drawSlice(Terms calldata terms) external {
        // Check
        bytes32 campaignId = _idOf(terms);
        Campaign storage campaign = _campaigns[campaignId];
        uint256 drawBlock = campaign.drawBlock;
        if (drawBlock == 0 || block.number <= drawBlock) revert DataCampaign_NoBlockHash(campaignId, drawBlock);

        // Effect
        bytes32 hash = blockhash(drawBlock);
        if (hash == 0) {
            campaign.drawBlock = uint40(block.number + DRAW_AFTER);
            return;
        }
        uint8 first = uint8(uint256(keccak256(abi.encode(hash, campaignId))) % terms.slices);
        (campaign.drawBlock, campaign.first) = (0, first);
        emit SliceDrawn(campaignId, first);
    }

    /// @inheritdoc IDataCampaign
    function reveal(
        Terms calldata terms,
        uint8 slice,
        bytes32 digest,
        bytes32 salt,
        bytes32[] calldata proof,
        bytes calldata locator
    ) external {
        // Check
        bytes32 campaignId = _idOf(terms);
        _checkCaller(campaignId, terms.owner);
        Campaign storage campaign = _campaigns[campaignId];
        if (campaign.drawBlock != 0) revert DataCampaign_NoBlockHash(campaignId, campaign.drawBlock);
        uint32 revealed = campaign.revealed;
        bool next = revealed == 0 ? slice == campaign.first : (revealed >> slice) & 1 == 0;
        if (campaign.state == CampaignState.None || slice >= terms.slices || !next) {
            revert DataCampaign_WrongSlice(campaignId, slice);
        }
        _checkLength(locator.length, MAX_LOCATOR_BYTES);
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(slice, salt, digest))));
        if (!MerkleProof.verifyCalldata(proof, terms.examRoot, leaf)) {
            revert DataCampaign_WrongSliceProof(campaignId, slice);
        }

        // Effect
        campaign.revealed = revealed | uint32(1 << slice);
        emit SliceRevealed(campaignId, slice, digest, salt, locator);
    }

    // ── Versions

    /// @inheritdoc IDataCampaign
    function publish(Terms calldata terms, Version calldata version, bytes calldata without, bytes calldata locator)
        external
    {
        // Check
        bytes32 campaignId = _idOf(terms);
        _checkCaller(campaignId, terms.owner);
        CampaignState state = _campaigns[campaignId].state;
        if (state == CampaignState.None) revert DataCampaign_InvalidStatus(campaignId, state);
        uint256 next = _versions[campaignId] + 1;
        if (version.number != next) revert DataCampaign_WrongNumber(campaignId, next);
        _checkLength(without.length, MAX_WITHOUT_BYTES);
        _checkLength(locator.length, MAX_MODEL_BYTES);

        // Effect
        _versions[campaignId] = next;
        emit VersionPublished(campaignId, version, without, locator);
    }

    // ── Read

    /// @inheritdoc IDataCampaign
    function campaignIdOf(Terms calldata terms) external view returns (bytes32) {
        return _idOf(terms);
    }

    /// @inheritdoc IDataCampaign
    function campaignOf(bytes32 campaignId) external view returns (Campaign memory) {
        return _campaigns[campaignId];
    }

    /// @inheritdoc IDataCampaign
    function entryOf(bytes32 campaignId, uint32 entry) external view returns (Entry memory) {
        return _entries[campaignId][entry];
    }

    /// @inheritdoc IDataCampaign
    function rowOf(bytes32 campaignId, uint32 entry, uint32 row) external view returns (Row memory) {
        return _rowAt(campaignId, entry, row);
    }

    /// @inheritdoc IDataCampaign
    function fixOf(bytes32 campaignId, Place calldata place) external view returns (Fix memory) {
        return _fixes[_fixIdOf(campaignId, place)];
    }

    /// @inheritdoc IDataCampaign
    function versionsOf(bytes32 campaignId) external view returns (uint256) {
        return _versions[campaignId];
    }

    /// @inheritdoc IDataCampaign
    function depositOf(Terms calldata terms, uint32 count) external view returns (uint256) {
        return _depositOf(terms, _paceOf(terms, _campaigns[_idOf(terms)]), count);
    }

    /// @inheritdoc IDataCampaign
    function fixCommitmentOf(bytes32 campaignId, address fixer, Correction calldata correction)
        external
        pure
        returns (bytes32)
    {
        return _fixCommitmentOf(campaignId, fixer, correction);
    }

    // ── Steps

    function _fixCommitmentOf(bytes32 campaignId, address fixer, Correction calldata correction)
        private
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                campaignId,
                fixer,
                correction.entry,
                correction.row,
                correction.original,
                correction.corrected,
                correction.salt
            )
        );
    }

    function _isValid(Terms calldata terms) private pure returns (bool) {
        uint256 fees = _feesOf(terms);
        bool exam = terms.slices <= MAX_SLICES && (terms.slices == 0) == (terms.examRoot == 0);
        return exam && terms.rows != 0 && terms.capacity != 0 && terms.reward <= terms.price && terms.deposit >= fees
            && terms.bond >= fees && terms.fixWindow >= MIN_WINDOW && terms.stepWindow >= MIN_WINDOW;
    }

    /// @dev What is left of the rows added so far: `capacity` of them drain in each `fixWindow`.
    function _paceOf(Terms calldata terms, Campaign memory campaign) private view returns (uint256) {
        uint256 drained = (block.timestamp - campaign.pacedAt) * terms.capacity;
        return drained >= campaign.pace ? 0 : campaign.pace - drained;
    }

    /// @dev The mean over the rows of a batch, so that dividing it makes it no cheaper.
    function _depositOf(Terms calldata terms, uint256 pace, uint256 count) private pure returns (uint256) {
        uint256 fixWindow = terms.fixWindow;
        return terms.deposit + terms.deposit * (2 * pace + count * fixWindow) / (2 * uint256(terms.capacity) * fixWindow);
    }

    /// @dev Checks that a correction is of a row that the entry can have, and says something.
    function _checkRow(bytes32 campaignId, Entry storage entry, Correction calldata correction) private view {
        (uint32 number, bytes32 original) = (correction.row, correction.original);
        bool missing = original == 0;
        bool says = missing ? correction.corrected == 0 && correction.proof.length == 0 : original != correction.corrected;
        if (number >= entry.count || !says) revert DataCampaign_NoRow(campaignId, correction.entry, number);
        if (missing) return;
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(entry.author, number, original))));
        if (!MerkleProof.verifyCalldata(correction.proof, entry.root, leaf)) {
            revert DataCampaign_WrongProof(campaignId, correction.entry, number);
        }
    }
}
