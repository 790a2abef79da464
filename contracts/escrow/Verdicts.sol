// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IJobEscrow, SeatStatus, State, Verdict} from "../interfaces/IJobEscrow.sol";
import {Judgement} from "../libraries/Judgement.sol";
import {Rule} from "../libraries/Rule.sol";
import {Panels} from "./Panels.sol";

/// @notice What was found: measurements revealed, compared, and counted.
abstract contract Verdicts is Panels {
    /// An opened measurement, while it waits for the one it is compared with.
    struct Finding {
        address author;
        int64 score;
        bytes32 digest;
    }

    /// Validators' findings that wait for the provider's.
    mapping(bytes32 jobId => Finding[]) private _waiting;
    /// The provider's finding, kept only while validators have yet to reveal.
    mapping(bytes32 jobId => Finding) private _disclosed;

    /// @inheritdoc IJobEscrow
    function reveal(
        Terms calldata terms,
        Measurement calldata own,
        Measurement calldata providers,
        bytes32 keyCommitment
    ) external {
        (bytes32 jobId, Job memory current) = _loadRevealing(terms);
        Finding memory mine = _openSeat(jobId, current, own);
        Finding memory theirs =
            current.disclosed ? _disclosed[jobId] : _openProvider(jobId, terms, current, providers, keyCommitment);
        _vote(jobId, terms.rule, current, mine, theirs);
        _advance(jobId, terms, current);
    }

    /// @inheritdoc IJobEscrow
    function revealAlone(Terms calldata terms, Measurement calldata own) external {
        (bytes32 jobId, Job memory current) = _loadRevealing(terms);
        Finding memory mine = _openSeat(jobId, current, own);
        if (current.disclosed) {
            _vote(jobId, terms.rule, current, mine, _disclosed[jobId]);
        } else {
            _seats[jobId][msg.sender].status = SeatStatus.Revealed;
            _waiting[jobId].push(mine);
        }
        _advance(jobId, terms, current);
    }

    /// @inheritdoc IJobEscrow
    function disclose(Terms calldata terms, Measurement calldata providers, bytes32 keyCommitment) external {
        (bytes32 jobId, Job memory current) = _loadRevealing(terms);
        if (current.disclosed) revert JobEscrow_AlreadyDisclosed(jobId);
        _openProvider(jobId, terms, current, providers, keyCommitment);
        _advance(jobId, terms, current);
    }

    /// @inheritdoc IJobEscrow
    function conclude(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Job memory current) = _loadRevealable(terms);
        _checkOver(jobId, current.deadline);

        // Effect
        Verdict verdict;
        if (current.disclosed) verdict = _verdictOf(current);
        else verdict = current.revealed == 0 ? Verdict.Inconclusive : Verdict.Fail;
        _judge(jobId, terms, current, verdict);
        _save(jobId, current);
    }

    /// @inheritdoc Panels
    function _judge(bytes32 jobId, Terms calldata terms, Job memory current, Verdict verdict) internal override {
        current.deadline = uint40(block.timestamp);
        if (verdict == Verdict.Pass) {
            current.state = State.Validated;
            if (!current.challenged) current.deadline = _in(terms.schedule.claim());
        } else if (verdict == Verdict.Fail) {
            current.state = State.Rejected;
            if (_isAppealable(current)) current.deadline = _in(terms.schedule.appeal());
        } else {
            current.state = State.Inconclusive;
        }
        emit Judged(jobId, verdict, current.passes, current.fails, current.deadline);
    }

    /// @dev A verdict of measurements can be appealed, once; that on a provider that hid its own cannot.
    function _isAppealable(Job memory current) internal pure returns (bool) {
        return current.disclosed && !current.appealed;
    }

    /// @dev Opens the caller's commitment.
    function _openSeat(bytes32 jobId, Job memory current, Measurement calldata own)
        private
        returns (Finding memory)
    {
        Seat storage seat = _checkSeat(jobId, msg.sender, SeatStatus.Committed);
        if (seat.commitment != bytes30(_commitmentOf(jobId, msg.sender, own))) {
            revert JobEscrow_CommitmentMismatch(jobId, msg.sender);
        }
        ++current.revealed;
        emit Revealed(jobId, msg.sender, own.digest, own.score, own.salt);
        return Finding(msg.sender, own.score, own.digest);
    }

    /// @dev Opens the provider's commitment, whoever was shown it, and counts the votes that waited for it.
    function _openProvider(
        bytes32 jobId,
        Terms calldata terms,
        Job memory current,
        Measurement calldata providers,
        bytes32 keyCommitment
    ) private returns (Finding memory finding) {
        bytes32 commitment = _commitmentOf(jobId, terms.provider, providers);
        if (_submissions[jobId] != keccak256(abi.encode(commitment, keyCommitment))) {
            revert JobEscrow_CommitmentMismatch(jobId, terms.provider);
        }
        current.disclosed = true;
        emit Revealed(jobId, terms.provider, providers.digest, providers.score, providers.salt);

        finding = Finding(terms.provider, providers.score, providers.digest);
        if (current.revealed < current.seats) _disclosed[jobId] = finding;
        uint256 votes = _waiting[jobId].length;
        for (uint256 i = 0; i < votes; ++i) {
            _vote(jobId, terms.rule, current, _waiting[jobId][i], finding);
        }
        if (votes != 0) delete _waiting[jobId];
    }

    function _vote(bytes32 jobId, Rule rule, Job memory current, Finding memory mine, Finding memory theirs) private {
        bool confirmed = Judgement.confirms(rule, mine.digest, mine.score, theirs.digest, theirs.score);
        _seats[jobId][mine.author].status = confirmed ? SeatStatus.Passed : SeatStatus.Failed;
        if (confirmed) ++current.passes;
        else ++current.fails;
    }

    /// @dev Judges once nothing is left to reveal, and saves the job.
    function _advance(bytes32 jobId, Terms calldata terms, Job memory current) private {
        if (current.disclosed && current.revealed == current.seats) {
            _judge(jobId, terms, current, _verdictOf(current));
        }
        _save(jobId, current);
    }

    function _loadRevealing(Terms calldata terms) private view returns (bytes32 jobId, Job memory current) {
        (jobId, current) = _loadRevealable(terms);
        _checkInTime(jobId, current.deadline);
    }

    function _loadRevealable(Terms calldata terms) private view returns (bytes32 jobId, Job memory current) {
        (jobId, current) = _load(terms, State.Validating);
        if (current.pending != 0 || current.toDraw != 0) revert JobEscrow_StillCommitting(jobId);
    }

    function _verdictOf(Job memory current) private pure returns (Verdict) {
        return Judgement.verdictOf(current.seats, current.passes, current.fails);
    }

    function _commitmentOf(bytes32 jobId, address author, Measurement calldata found) private pure returns (bytes32) {
        return keccak256(abi.encode(jobId, author, found));
    }
}
