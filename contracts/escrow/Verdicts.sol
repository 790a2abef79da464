// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IJobEscrow, SeatStatus, State, Verdict} from "../interfaces/IJobEscrow.sol";
import {Judgement} from "../libraries/Judgement.sol";
import {
    APPEALED,
    CHALLENGED,
    DISCLOSED,
    FAILS,
    PASSES,
    PENDING,
    REVEALED,
    Record,
    SEATS,
    TO_DRAW
} from "../libraries/Record.sol";
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
        (bytes32 jobId, Record record) = _loadRevealing(terms);
        uint256 waiting = _waitingIn(record);
        Finding memory mine = _openSeat(jobId, own);
        record = record.plus(REVEALED);
        Finding memory theirs;
        if (record.has(DISCLOSED)) {
            theirs = _disclosed[jobId];
        } else {
            theirs = _openProvider(jobId, terms, record, providers, keyCommitment);
            record = _countWaiting(jobId, terms.rule, record.with(DISCLOSED), theirs, waiting);
        }
        _advance(jobId, terms, _vote(jobId, terms.rule, record, mine, theirs));
    }

    /// @inheritdoc IJobEscrow
    function revealAlone(Terms calldata terms, Measurement calldata own) external {
        (bytes32 jobId, Record record) = _loadRevealing(terms);
        Finding memory mine = _openSeat(jobId, own);
        record = record.plus(REVEALED);
        if (record.has(DISCLOSED)) {
            record = _vote(jobId, terms.rule, record, mine, _disclosed[jobId]);
        } else {
            _seats[jobId][msg.sender].status = SeatStatus.Revealed;
            _waiting[jobId].push(mine);
        }
        _advance(jobId, terms, record);
    }

    /// @inheritdoc IJobEscrow
    function disclose(Terms calldata terms, Measurement calldata providers, bytes32 keyCommitment) external {
        (bytes32 jobId, Record record) = _loadRevealing(terms);
        if (record.has(DISCLOSED)) revert JobEscrow_AlreadyDisclosed(jobId);
        Finding memory theirs = _openProvider(jobId, terms, record, providers, keyCommitment);
        record = _countWaiting(jobId, terms.rule, record.with(DISCLOSED), theirs, _waitingIn(record));
        _advance(jobId, terms, record);
    }

    /// @inheritdoc IJobEscrow
    function conclude(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Record record) = _loadRevealable(terms);
        _checkOver(jobId, record.clock());

        // Effect
        Verdict verdict;
        if (record.has(DISCLOSED)) verdict = _verdictOf(record);
        else verdict = record.count(REVEALED) == 0 ? Verdict.Inconclusive : Verdict.Fail;
        _records[jobId] = _judge(jobId, terms, record, verdict);
    }

    /// @inheritdoc Panels
    function _judge(bytes32 jobId, Terms calldata terms, Record record, Verdict verdict)
        internal
        override
        returns (Record)
    {
        uint40 deadline = uint40(block.timestamp);
        State next = State.Inconclusive;
        if (verdict == Verdict.Pass) {
            next = State.Validated;
            if (!record.has(CHALLENGED)) deadline = _in(terms.schedule.claim());
        } else if (verdict == Verdict.Fail) {
            next = State.Rejected;
            if (_isAppealable(record)) deadline = _in(terms.schedule.appeal());
        }
        emit Judged(jobId, verdict, record.count(PASSES), record.count(FAILS), deadline);
        return record.to(next).until(deadline);
    }

    /// @dev A verdict of measurements can be appealed, once; that on a provider that hid its own cannot.
    function _isAppealable(Record record) internal pure returns (bool) {
        return record.has(DISCLOSED) && !record.has(APPEALED);
    }

    /// @dev Opens the caller's commitment.
    function _openSeat(bytes32 jobId, Measurement calldata own) private returns (Finding memory) {
        Seat storage seat = _checkSeat(jobId, msg.sender, SeatStatus.Committed);
        if (seat.commitment != bytes30(_commitmentOf(jobId, msg.sender, own))) {
            revert JobEscrow_CommitmentMismatch(jobId, msg.sender);
        }
        emit Revealed(jobId, msg.sender, own.digest, own.score, own.salt);
        return Finding(msg.sender, own.score, own.digest);
    }

    /// @dev Opens the provider's commitment, whoever was shown it; keeps it while others have yet to reveal.
    function _openProvider(
        bytes32 jobId,
        Terms calldata terms,
        Record record,
        Measurement calldata providers,
        bytes32 keyCommitment
    ) private returns (Finding memory finding) {
        bytes32 commitment = _commitmentOf(jobId, terms.provider, providers);
        if (record.submission() != _submissionOf(commitment, keyCommitment)) {
            revert JobEscrow_CommitmentMismatch(jobId, terms.provider);
        }
        emit Revealed(jobId, terms.provider, providers.digest, providers.score, providers.salt);
        finding = Finding(terms.provider, providers.score, providers.digest);
        if (record.count(REVEALED) < record.count(SEATS)) _disclosed[jobId] = finding;
    }

    /// @dev Counts the votes that waited for the provider's measurement.
    function _countWaiting(bytes32 jobId, Rule rule, Record record, Finding memory theirs, uint256 waiting)
        private
        returns (Record)
    {
        if (waiting == 0) return record;
        for (uint256 i = 0; i < waiting; ++i) {
            record = _vote(jobId, rule, record, _waiting[jobId][i], theirs);
        }
        delete _waiting[jobId];
        return record;
    }

    function _vote(bytes32 jobId, Rule rule, Record record, Finding memory mine, Finding memory theirs)
        private
        returns (Record)
    {
        bool confirmed = Judgement.confirms(rule, mine.digest, mine.score, theirs.digest, theirs.score);
        _seats[jobId][mine.author].status = confirmed ? SeatStatus.Passed : SeatStatus.Failed;
        return record.plus(confirmed ? PASSES : FAILS);
    }

    /// @dev Judges once nothing is left to reveal, and saves the job.
    function _advance(bytes32 jobId, Terms calldata terms, Record record) private {
        if (record.has(DISCLOSED) && record.count(REVEALED) == record.count(SEATS)) {
            record = _judge(jobId, terms, record, _verdictOf(record));
        }
        _records[jobId] = record;
    }

    function _loadRevealing(Terms calldata terms) private view returns (bytes32 jobId, Record record) {
        (jobId, record) = _loadRevealable(terms);
        _checkInTime(jobId, record.clock());
    }

    function _loadRevealable(Terms calldata terms) private view returns (bytes32 jobId, Record record) {
        (jobId, record) = _load(terms, State.Validating);
        if (record.count(PENDING) != 0 || record.count(TO_DRAW) != 0) revert JobEscrow_StillCommitting(jobId);
    }

    /// @dev Revealed, but not counted yet.
    function _waitingIn(Record record) private pure returns (uint256) {
        return record.count(REVEALED) - record.count(PASSES) - record.count(FAILS);
    }

    function _verdictOf(Record record) private pure returns (Verdict) {
        return Judgement.verdictOf(record.count(SEATS), record.count(PASSES), record.count(FAILS));
    }

    function _commitmentOf(bytes32 jobId, address author, Measurement calldata found) private pure returns (bytes32) {
        return keccak256(abi.encode(jobId, author, found));
    }
}
