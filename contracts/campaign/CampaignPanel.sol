// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CampaignStorage} from "./CampaignStorage.sol";
import {FixState, FixVerdict, IDataCampaign, VoteStatus} from "./IDataCampaign.sol";

/// @notice How a panel decides about a fix: appealed to, drawn, then commit and reveal. A member that does not vote
/// loses its fee and nothing else.
abstract contract CampaignPanel is CampaignStorage {
    /// Members of the pool that a draw looks at for one seat.
    uint256 private constant PROBES = 16;

    /// @inheritdoc IDataCampaign
    function appeal(Terms calldata terms, Place calldata place) external payable {
        // Check
        bytes32 campaignId = _idOf(terms);
        bytes32 fixId = _fixIdOf(campaignId, place);
        Fix storage found = _fixes[fixId];
        bool silent = found.state == FixState.Judging;
        if (!silent && found.state != FixState.Judged) revert DataCampaign_InvalidFixStatus(campaignId, found.state);
        if (silent) _checkOver(campaignId, found.deadline);
        _checkInTime(campaignId, uint256(found.deadline) + (silent ? terms.stepWindow : 0));
        bool byFixer = msg.sender == found.fixer;
        if (!byFixer) _checkCaller(campaignId, _entries[campaignId][place.entry].author);
        bool won = found.verdict == (byFixer ? FixVerdict.Right : FixVerdict.Wrong);
        if (won) revert DataCampaign_NotParty(campaignId, msg.sender);

        // Effect
        (found.state, found.byFixer, found.deadline) = (FixState.Drawing, byFixer, _in(terms.stepWindow));
        uint40 drawBlock = uint40(block.number + DRAW_AFTER);
        _panels[fixId].drawBlock = drawBlock;
        emit Appealed(campaignId, place, msg.sender, drawBlock);

        // Interaction
        _take(terms.token, _feesOf(terms));
    }

    /// @inheritdoc IDataCampaign
    function empanel(Terms calldata terms, Place calldata place) external {
        // Check
        (bytes32 campaignId, bytes32 fixId, Fix storage found) = _loadFix(terms, place, FixState.Drawing);
        _checkInTime(campaignId, found.deadline);
        Panel storage panel = _panels[fixId];
        if (block.number <= panel.drawBlock) revert DataCampaign_NoBlockHash(campaignId, panel.drawBlock);

        // Effect
        bytes32 hash = blockhash(panel.drawBlock);
        if (hash == 0) {
            panel.drawBlock = uint40(block.number + DRAW_AFTER);
            emit PanelMissed(campaignId, place, panel.drawBlock);
            return;
        }
        (found.state, found.deadline) = (FixState.Voting, _in(terms.stepWindow));
        Entry storage entry = _entries[campaignId][place.entry];
        address[3] memory parties = [terms.owner, entry.author, found.fixer];
        for (uint256 i = 0; i < PANEL; ++i) {
            address member = _find(terms, fixId, keccak256(abi.encode(hash, fixId, i)), entry.addedAt, parties);
            if (member == address(0)) continue;
            _votes[fixId][member].status = VoteStatus.Drawn;
            panel.members.push(member);
        }
        emit PanelDrawn(campaignId, place, panel.members);
    }

    /// @inheritdoc IDataCampaign
    function commitVote(Terms calldata terms, Place calldata place, bytes32 commitment) external {
        // Check
        (bytes32 campaignId, bytes32 fixId, Fix storage found) = _loadFix(terms, place, FixState.Voting);
        Vote storage vote = _checkVote(campaignId, fixId, VoteStatus.Drawn);
        _checkInTime(campaignId, found.deadline);

        // Effect
        (vote.status, vote.word) = (VoteStatus.Committed, bytes30(commitment));
        Panel storage panel = _panels[fixId];
        if (++panel.committed == panel.members.length) found.deadline = _in(terms.stepWindow);
        emit VoteCommitted(campaignId, place, msg.sender);
    }

    /// @inheritdoc IDataCampaign
    function revealVote(Terms calldata terms, Place calldata place, bool right, bytes32 salt) external {
        // Check
        (bytes32 campaignId, bytes32 fixId, Fix storage found) = _loadFix(terms, place, FixState.Voting);
        Vote storage vote = _checkVote(campaignId, fixId, VoteStatus.Committed);
        Panel storage panel = _panels[fixId];
        if (panel.committed != panel.members.length) _checkOver(campaignId, found.deadline);
        _checkInTime(campaignId, _revealBy(terms, found, panel));
        if (vote.word != bytes30(_voteCommitmentOf(fixId, msg.sender, right, salt))) {
            revert DataCampaign_CommitmentMismatch(campaignId, msg.sender);
        }

        // Effect
        (vote.status, vote.right) = (VoteStatus.Revealed, right);
        ++panel.revealed;
        if (right) ++panel.right;
        emit VoteRevealed(campaignId, place, msg.sender, right);
    }

    // ── Read

    /// @inheritdoc IDataCampaign
    function panelOf(bytes32 campaignId, Place calldata place) external view returns (Panel memory) {
        return _panels[_fixIdOf(campaignId, place)];
    }

    /// @inheritdoc IDataCampaign
    function voteOf(bytes32 campaignId, Place calldata place, address member) external view returns (VoteStatus) {
        return _votes[_fixIdOf(campaignId, place)][member].status;
    }

    /// @inheritdoc IDataCampaign
    function voteCommitmentOf(bytes32 campaignId, Place calldata place, address member, bool right, bytes32 salt)
        external
        pure
        returns (bytes32)
    {
        return _voteCommitmentOf(_fixIdOf(campaignId, place), member, right, salt);
    }

    // ── Steps

    function _feesOf(Terms calldata terms) internal pure returns (uint256) {
        return PANEL * terms.fee;
    }

    /// @dev Checks that no window of a fix is open any more.
    function _checkRipe(bytes32 campaignId, bytes32 fixId, Terms calldata terms, Fix storage found) internal view {
        FixState state = found.state;
        if (state == FixState.None || state == FixState.Taken) revert DataCampaign_InvalidFixStatus(campaignId, state);
        uint256 over = found.deadline;
        if (state == FixState.Judging) over += terms.stepWindow;
        if (state == FixState.Voting) {
            Panel storage panel = _panels[fixId];
            if (panel.revealed == panel.members.length) return;
            // Those that committed can still reveal.
            if (panel.revealed != panel.committed) over = _revealBy(terms, found, panel);
        }
        _checkOver(campaignId, over);
    }

    /// @dev Pays a panel's members that revealed, those that a majority outvoted left out, and gives the appellant the
    /// rest of the fees.
    /// @return verdict Of more than half of the panel; the owner's without that.
    function _payPanel(bytes32 fixId, Terms calldata terms, Fix memory found, address author)
        internal
        returns (FixVerdict verdict)
    {
        verdict = found.verdict;
        Panel memory panel = _panels[fixId];
        uint256 size = panel.members.length;
        bool decided = true;
        if (uint256(panel.right) * 2 > size) verdict = FixVerdict.Right;
        else if (uint256(panel.revealed - panel.right) * 2 > size) verdict = FixVerdict.Wrong;
        else decided = false;
        uint256 rest = _feesOf(terms);
        for (uint256 i = 0; i < size; ++i) {
            Vote storage vote = _votes[fixId][panel.members[i]];
            if (vote.status != VoteStatus.Revealed) continue;
            if (decided && vote.right != (verdict == FixVerdict.Right)) continue;
            rest -= terms.fee;
            _credit(panel.members[i], terms.token, terms.fee);
        }
        _credit(found.byFixer ? found.fixer : author, terms.token, rest);
    }

    /// @dev Until when votes may be revealed: one window after the last commitment, or after the deadline to commit.
    function _revealBy(Terms calldata terms, Fix storage found, Panel storage panel) private view returns (uint256) {
        bool all = panel.committed == panel.members.length;
        return all ? found.deadline : uint256(found.deadline) + terms.stepWindow;
    }

    /// @dev A member of the pool as it was when the row was added, or zero: the search begins at a random place and
    /// walks on past the parties and those that have a seat.
    function _find(Terms calldata terms, bytes32 fixId, bytes32 seed, uint256 asOf, address[3] memory parties)
        private
        view
        returns (address)
    {
        uint256 fee = terms.token == COIN ? terms.fee : type(uint256).max;
        uint256 random = uint256(seed) >> 8;
        for (uint256 probe = 0; probe < PROBES; ++probe) {
            address who = registry.candidate(random + probe, asOf, 0, fee);
            if (who == address(0) || who == parties[0] || who == parties[1] || who == parties[2]) continue;
            if (_votes[fixId][who].status == VoteStatus.None) return who;
        }
        return address(0);
    }

    function _checkVote(bytes32 campaignId, bytes32 fixId, VoteStatus wanted)
        private
        view
        returns (Vote storage vote)
    {
        vote = _votes[fixId][msg.sender];
        if (vote.status != wanted) revert DataCampaign_WrongVote(campaignId, msg.sender, vote.status);
    }

    function _voteCommitmentOf(bytes32 fixId, address member, bool right, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(fixId, member, right, salt));
    }
}
