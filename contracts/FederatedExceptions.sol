// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FederatedStorage} from "./federated/FederatedStorage.sol";
import {FederatedCause, FederatedState, PanelStatus, Standing} from "./interfaces/IFederated.sol";
import {IFederatedExceptions} from "./interfaces/IFederatedExceptions.sol";
import {IProviderRating, Outcome, Role} from "./interfaces/IProviderRating.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";

/// @title The half of the escrow of federated jobs that they seldom need; see {IFederatedExceptions}
/// @dev {FederatedEscrow} calls it by `delegatecall`: the storage and the money are the escrow's.
///
/// Disputes are over a closing or over a strike. A panel is drawn from the pool by the hash of a later block, each of its
/// validators commits to a finding and reveals it, and the finding of the majority of the panel counts.
contract FederatedExceptions is FederatedStorage, IFederatedExceptions {
    constructor(IProviderRegistry registry_, IProviderRating rating_) FederatedStorage(registry_, rating_) {}

    // ── End

    /// @inheritdoc IFederatedExceptions
    function stop(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms);
        _checkCaller(jobId, terms.requester);
        FederatedState state = job.state;
        if (state == FederatedState.Enlisting || state == FederatedState.Drawing) {
            return _finish(jobId, terms, job, FederatedCause.Stopped);
        }
        if (state != FederatedState.Running || job.stopping) revert FederatedEscrow_InvalidStatus(jobId, state);

        // Effect
        job.stopping = true;
        _jobs[jobId] = job;
        emit StopAsked(jobId);
    }

    /// @inheritdoc IFederatedExceptions
    function expire(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms);
        FederatedState state = job.state;
        bool open = state == FederatedState.Enlisting || state == FederatedState.Drawing
            || state == FederatedState.Running;
        if (!open) revert FederatedEscrow_InvalidStatus(jobId, state);
        bool lost = state == FederatedState.Drawing && block.number > job.drawBlock + HASHES;
        if (!lost) _checkOver(jobId, job.deadline);

        // Effect
        _finish(jobId, terms, job, job.stopping ? FederatedCause.Stopped : FederatedCause.Late);
    }

    /// @inheritdoc IFederatedExceptions
    function release(Terms calldata terms, address[] calldata accounts) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms, FederatedState.Ended);
        _checkOver(jobId, job.deadline);

        // Check, Effect, Interaction: one account after the other; registry and rating are this contract's own
        uint256 released = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (_release(jobId, terms, job, accounts[i])) ++released;
        }
        if (released == 0) revert FederatedEscrow_NothingToRelease(jobId);
    }

    /// @inheritdoc IFederatedExceptions
    function sweep(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms, FederatedState.Ended);
        _checkOver(jobId, job.deadline + CLAIM_WINDOW);
        uint256 sum = job.closed * _roundSum(terms, job.seated);
        uint256 amount = sum - _paid[jobId];
        if (amount == 0) revert FederatedEscrow_NothingToClaim(jobId);

        // Effect
        _paid[jobId] = sum;
        _credit(terms.requester, terms.token, amount);
        emit Swept(jobId, amount);
    }

    // ── Strike

    /// @inheritdoc IFederatedExceptions
    function strike(Terms calldata terms, Strike calldata found, Approval[] calldata approvals) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms);
        bool open = job.state == FederatedState.Running || job.state == FederatedState.Disputed
            || job.state == FederatedState.Ended && block.timestamp <= job.deadline;
        if (!open) revert FederatedEscrow_InvalidStatus(jobId, job.state);
        Account storage account = _checkStanding(jobId, found.provider, Standing.Enlisted);
        address[] memory signers =
            _checkApprovals(jobId, job.seated, 2, _signedStrikeOf(jobId, found), approvals);
        bytes32 hash = keccak256(abi.encode(found, signers));
        if (_strikes[jobId][found.provider] == hash) revert FederatedEscrow_WrongStrike(jobId);

        // Effect
        account.standing = Standing.Struck;
        account.appealBy = _in(terms.disputeWindow);
        ++_strikeCounts[jobId].open;
        _strikes[jobId][found.provider] = hash;
        emit Struck(jobId, found, signers, account.appealBy);
        if (terms.refunds && job.state == FederatedState.Running) _refund(jobId, terms, job, signers);
    }

    // ── Dispute

    /// @inheritdoc IFederatedExceptions
    function challenge(Terms calldata terms, Closed[] calldata closings) external payable {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms);
        if (job.state != FederatedState.Running && job.state != FederatedState.Ended) {
            revert FederatedEscrow_InvalidStatus(jobId, job.state);
        }
        Standing standing = _accounts[jobId][msg.sender].standing;
        bool party = msg.sender == terms.requester || standing == Standing.Enlisted || standing == Standing.Seated;
        if (!party) revert FederatedEscrow_NotParty(jobId, msg.sender);
        _checkClosings(jobId, closings);
        uint16 round = closings[0].closing.round;
        if (round <= job.finalRound || round == job.confirmed) revert FederatedEscrow_WrongRound(jobId, round);
        _checkInTime(jobId, _challengeBy(terms, job, closings[0]));

        // Effect
        Dispute storage dispute = _open(jobId, address(0), closings[0].closedAt, round);
        dispute.claimed = _findingOf(closings[0].closing);
        dispute.back = job.state;
        job.state = FederatedState.Disputed;
        _jobs[jobId] = job;

        // Interaction
        _take(terms.token, _challengeBondOf(terms));
    }

    /// @inheritdoc IFederatedExceptions
    function appeal(Terms calldata terms, Strike calldata found, address[] calldata signers) external payable {
        // Check
        bytes32 jobId = _idOf(terms);
        _checkCaller(jobId, found.provider);
        Account storage account = _checkStanding(jobId, msg.sender, Standing.Struck);
        _checkInTime(jobId, account.appealBy);
        _checkStrike(jobId, found, signers);

        // Effect
        account.standing = Standing.Appealing;
        Dispute storage dispute = _open(jobId, msg.sender, _jobs[jobId].postedAt, found.round);
        dispute.claimed = GUILTY;

        // Interaction
        _take(terms.token, _panelFeesOf(terms));
    }

    // ── Draw, commit and reveal

    /// @inheritdoc IFederatedExceptions
    function empanel(Terms calldata terms, address provider) external {
        // Check
        (bytes32 jobId, bytes32 disputeId, Dispute storage dispute) = _loadDispute(terms, provider);
        uint256 drawBlock = dispute.drawBlock;
        if (drawBlock == 0 || block.number <= drawBlock) revert FederatedEscrow_NoBlockHash(jobId, drawBlock);

        // Effect
        bytes32 hash = blockhash(drawBlock);
        if (hash == 0) {
            dispute.drawBlock = _nextDrawBlock();
            emit DrawMissed(jobId, provider, dispute.drawBlock);
            return;
        }
        dispute.drawBlock = 0;
        dispute.deadline = _in(terms.roundWindow);
        for (uint256 i = 0; i < PANEL; ++i) {
            address validator = _find(terms, jobId, disputeId, hash, i, dispute.asOf);
            if (validator == address(0)) continue;
            _panelSeats[disputeId][validator].status = PanelStatus.Drawn;
            dispute.panel.push(validator);
        }
        emit Empanelled(jobId, provider, dispute.panel, dispute.deadline);

        // Interaction: the registry calls nothing in turn, so no guard
        for (uint256 i = 0; i < dispute.panel.length; ++i) {
            registry.lock(dispute.panel[i], terms.seatStake, Role.Validator, true);
        }
    }

    /// @inheritdoc IFederatedExceptions
    function commitFinding(Terms calldata terms, address provider, bytes32 commitment) external {
        // Check
        (bytes32 jobId, bytes32 disputeId, Dispute storage dispute) = _loadDispute(terms, provider);
        PanelSeat storage seat = _checkPanelSeat(jobId, disputeId, PanelStatus.Drawn);
        _checkInTime(jobId, dispute.deadline);

        // Effect
        (seat.status, seat.word) = (PanelStatus.Committed, bytes31(commitment));
        if (++dispute.committed == dispute.panel.length) dispute.deadline = _in(terms.disputeWindow);
        emit FindingCommitted(jobId, provider, msg.sender, dispute.deadline);
    }

    /// @inheritdoc IFederatedExceptions
    function revealFinding(Terms calldata terms, address provider, bytes32 finding, bytes32 salt) external {
        // Check
        (bytes32 jobId, bytes32 disputeId, Dispute storage dispute) = _loadDispute(terms, provider);
        PanelSeat storage seat = _checkPanelSeat(jobId, disputeId, PanelStatus.Committed);
        if (dispute.committed != dispute.panel.length) _checkOver(jobId, dispute.deadline);
        _checkInTime(jobId, _revealBy(terms, dispute));
        if (seat.word != bytes31(keccak256(abi.encode(jobId, provider, msg.sender, finding, salt)))) {
            revert FederatedEscrow_CommitmentMismatch(jobId, msg.sender);
        }

        // Effect
        (seat.status, seat.word) = (PanelStatus.Revealed, _wordOf(finding));
        ++dispute.revealed;
        emit FindingRevealed(jobId, provider, msg.sender, finding);
    }

    // ── Conclude

    /// @inheritdoc IFederatedExceptions
    function concludeChallenge(Terms calldata terms, Closed[] calldata closings) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms, FederatedState.Disputed);
        Dispute memory dispute = _conclude(jobId, terms, address(0));
        _checkClosings(jobId, closings);
        if (closings[0].closing.round != dispute.round) revert FederatedEscrow_WrongClosings(jobId);

        // Effect, Interaction: registry and rating are this contract's own, so no guard
        (uint256 fees, bool decided, bool stands) = _payPanel(jobId, terms, address(0), dispute);
        job.resumedAt = uint40(block.timestamp);
        uint256 deposit = _challengeBondOf(terms) - _panelFeesOf(terms);
        if (stands) {
            job.state = dispute.back;
            job.deadline = _in(job.state == FederatedState.Running ? terms.roundWindow : terms.disputeWindow);
            if (decided) job.confirmed = dispute.round;
            _jobs[jobId] = job;
            emit Resumed(jobId, job.state, job.deadline);
            _credit(decided ? address(0) : dispute.challenger, terms.token, deposit);
            bool cheated = terms.refunds && job.state == FederatedState.Running && _strikeCounts[jobId].open != 0;
            if (cheated) _finish(jobId, terms, job, FederatedCause.Cheated);
            return;
        }
        _tips[jobId] = closings[0].previous;
        _credit(dispute.challenger, terms.token, deposit);
        _void(jobId, terms, job, closings[0], dispute, fees);
        _slashSigners(jobId, terms, closings[0].signers);
    }

    /// @inheritdoc IFederatedExceptions
    function concludeAppeal(Terms calldata terms, Strike calldata found, address[] calldata signers) external {
        // Check
        bytes32 jobId = _idOf(terms);
        Account storage account = _checkStanding(jobId, found.provider, Standing.Appealing);
        _checkStrike(jobId, found, signers);
        Dispute memory dispute = _conclude(jobId, terms, found.provider);

        // Effect, Interaction: registry and rating are this contract's own, so no guard
        (, bool decided, bool stands) = _payPanel(jobId, terms, found.provider, dispute);
        account.standing = decided && stands ? Standing.Condemned : Standing.Enlisted;
        if (account.standing == Standing.Enlisted) --_strikeCounts[jobId].open;
        if (decided && !stands) _slashSigners(jobId, terms, signers);
    }

    // ── Rate

    /// @inheritdoc IFederatedExceptions
    function rate(Terms calldata terms, address subject, uint8 score) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms, FederatedState.Ended);
        bool byRequester = msg.sender == terms.requester;
        address party = byRequester ? subject : msg.sender;
        Account storage account = _accounts[jobId][party];
        if (account.standing == Standing.None || job.closed == 0) revert FederatedEscrow_NotParty(jobId, party);
        if (!byRequester && subject != terms.requester) revert FederatedEscrow_NotParty(jobId, subject);
        if (byRequester ? account.rated : account.ratedRequester) revert FederatedEscrow_AlreadyRated(jobId, msg.sender);

        // Effect
        if (byRequester) account.rated = true;
        else account.ratedRequester = true;
        Role role = Role.Requester;
        if (byRequester) role = account.seat ? Role.Validator : Role.Provider;
        emit FederatedRated(jobId, msg.sender, subject, role, score);

        // Interaction: the rating calls nothing in turn, so no guard
        rating.rate(subject, role, score);
    }

    // ── Read

    /// @inheritdoc IFederatedExceptions
    function disputeOf(bytes32 jobId, address provider) external view returns (Dispute memory) {
        return _disputes[_disputeIdOf(jobId, provider)];
    }

    /// @inheritdoc IFederatedExceptions
    function panelSeatOf(bytes32 jobId, address provider, address validator) external view returns (PanelStatus) {
        return _panelSeats[_disputeIdOf(jobId, provider)][validator].status;
    }

    /// @inheritdoc IFederatedExceptions
    function findingOf(Closing calldata closing) external pure returns (bytes32) {
        return _findingOf(closing);
    }

    /// @inheritdoc IFederatedExceptions
    function challengeBondOf(Terms calldata terms) external pure returns (uint256) {
        return _challengeBondOf(terms);
    }

    // ── Steps

    /// @dev False for an account whose stake is free already, or not yet.
    function _release(bytes32 jobId, Terms calldata terms, Job memory job, address account) private returns (bool) {
        Account storage stored = _accounts[jobId][account];
        Standing standing = stored.standing;
        bool slashed = standing == Standing.Struck && block.timestamp > stored.appealBy
            || standing == Standing.Condemned;
        if (!slashed && standing != Standing.Enlisted && standing != Standing.Seated) return false;
        bool waits = standing == Standing.Seated || terms.refunds && !slashed;
        if (waits && _strikeCounts[jobId].open != 0) return false;

        // Effect
        stored.standing = Standing.Released;
        if (slashed) _count(jobId, terms, job);
        else if (terms.refunds && standing == Standing.Enlisted) _award(jobId, terms, job, account);
        emit StakeReleased(jobId, account, slashed);
        if (standing != Standing.Seated && _jobs[jobId].sharing != 0 && stored.asserted > job.closed) {
            _credit(slashed ? terms.requester : account, terms.token, terms.roundPrice / job.asserted);
            --_jobs[jobId].sharing;
        }

        // Interaction
        if (standing == Standing.Seated) {
            registry.unlock(account, terms.seatStake);
            if (job.closed != 0) rating.record(account, Role.Validator, Outcome.Settled);
        } else if (slashed) {
            uint256 compensation = terms.refunds ? 0 : uint256(terms.providerStake) * COMPENSATION_PERCENT / 100;
            _credit(terms.requester, COIN, compensation);
            _slash(account, terms.providerStake, terms.refunds ? 0 : terms.providerStake - compensation);
            if (terms.refunds) registry.ban(account);
            rating.record(account, Role.Provider, Outcome.Rejected);
        } else {
            registry.unlock(account, terms.providerStake);
            if (stored.claimed != 0) rating.record(account, Role.Provider, Outcome.Settled);
        }
        return true;
    }

    /// @dev Ends a job in which a provider cheated. The seats that struck it have their fees for the open round.
    function _refund(bytes32 jobId, Terms calldata terms, Job memory job, address[] memory signers) private {
        for (uint256 i = 0; i < signers.length; ++i) {
            _credit(signers[i], terms.token, terms.seatFee);
        }
        uint256 rest = _restOf(terms, job) - signers.length * terms.seatFee;
        _credit(terms.requester, terms.token, _end(jobId, terms, job, FederatedCause.Cheated, rest));
    }

    /// @dev A strike stood. Where no provider is honest, all of their stakes is burnt.
    function _count(bytes32 jobId, Terms calldata terms, Job memory job) private {
        StrikeCounts storage counts = _strikeCounts[jobId];
        --counts.open;
        ++counts.stood;
        if (terms.refunds && counts.stood == job.enlisted) _credit(address(0), COIN, _forfeit(terms, counts));
    }

    /// @dev An equal part of the stakes of those whose strikes stood; what does not divide is burnt. No strike is open
    /// any more, so that their number is known and their stakes are here.
    function _award(bytes32 jobId, Terms calldata terms, Job memory job, address account) private {
        StrikeCounts storage counts = _strikeCounts[jobId];
        uint256 forfeit = _forfeit(terms, counts);
        if (forfeit == 0) return;
        uint256 honest = job.enlisted - counts.stood;
        _credit(account, COIN, forfeit / honest);
        if (++counts.shared == honest) _credit(address(0), COIN, forfeit % honest);
    }

    function _forfeit(Terms calldata terms, StrikeCounts storage counts) private view returns (uint256) {
        return uint256(counts.stood) * terms.providerStake;
    }

    /// @dev What is said of a round, without what only its lead can know: parcel, key and ledger.
    function _findingOf(Closing calldata closing) internal pure returns (bytes32) {
        return keccak256(abi.encode(closing.updatesRoot, closing.modelDigest, closing.payRoot));
    }

    function _panelFeesOf(Terms calldata terms) internal pure returns (uint256) {
        return uint256(PANEL) * terms.seatFee;
    }

    function _challengeBondOf(Terms calldata terms) internal pure returns (uint256) {
        return _panelFeesOf(terms) + terms.roundPrice / 2;
    }

    /// @dev Another one for each dispute of a job, and of a provider in it.
    function _disputeIdOf(bytes32 jobId, address provider) internal view returns (bytes32) {
        return keccak256(abi.encode(jobId, provider, _concluded[jobId][provider]));
    }

    function _open(bytes32 jobId, address provider, uint40 asOf, uint16 round)
        private
        returns (Dispute storage dispute)
    {
        dispute = _disputes[_disputeIdOf(jobId, provider)];
        dispute.challenger = msg.sender;
        dispute.asOf = asOf;
        dispute.drawBlock = _nextDrawBlock();
        dispute.round = round;
        emit Disputed(jobId, provider, msg.sender, round, dispute.drawBlock);
    }

    function _loadDispute(Terms calldata terms, address provider)
        private
        view
        returns (bytes32 jobId, bytes32 disputeId, Dispute storage dispute)
    {
        jobId = _idOf(terms);
        disputeId = _disputeIdOf(jobId, provider);
        dispute = _disputes[disputeId];
        if (dispute.challenger == address(0)) revert FederatedEscrow_NoBlockHash(jobId, 0);
    }

    function _checkPanelSeat(bytes32 jobId, bytes32 disputeId, PanelStatus wanted)
        private
        view
        returns (PanelSeat storage seat)
    {
        seat = _panelSeats[disputeId][msg.sender];
        if (seat.status != wanted) revert FederatedEscrow_WrongPanelSeat(jobId, msg.sender, seat.status);
    }

    function _checkStrike(bytes32 jobId, Strike calldata found, address[] calldata signers) private view {
        if (_strikes[jobId][found.provider] != keccak256(abi.encode(found, signers))) {
            revert FederatedEscrow_WrongStrike(jobId);
        }
    }

    /// @dev Until when findings may be revealed: one window after the last commitment, or after the deadline to commit.
    function _revealBy(Terms calldata terms, Dispute storage dispute) private view returns (uint256) {
        bool all = dispute.committed == dispute.panel.length;
        return all ? dispute.deadline : uint256(dispute.deadline) + terms.disputeWindow;
    }

    /// @dev Takes the first 31 bytes of a hash, so that no finding is zero.
    function _wordOf(bytes32 finding) private pure returns (bytes31) {
        return bytes31(keccak256(abi.encode(finding)));
    }

    /// @dev Checks that a dispute is ripe and closes it. It is when all that were drawn have revealed, when all that
    /// committed have and no other can commit, and when the window to reveal is over.
    function _conclude(bytes32 jobId, Terms calldata terms, address provider) private returns (Dispute memory) {
        Dispute storage dispute = _disputes[_disputeIdOf(jobId, provider)];
        if (dispute.drawBlock != 0) revert FederatedEscrow_NoBlockHash(jobId, dispute.drawBlock);
        bool complete = dispute.revealed == dispute.panel.length;
        if (!complete) {
            bool waiting = dispute.revealed != dispute.committed;
            _checkOver(jobId, waiting ? _revealBy(terms, dispute) : dispute.deadline);
        }
        ++_concluded[jobId][provider];
        return dispute;
    }

    /// @dev Pays the validators of a panel that revealed, unless a majority found otherwise; unlocks their stakes and
    /// slashes those that committed and hid. The other fees go back, unless none revealed: then they are burnt, because
    /// a dispute that costs nothing would hold up a job for ever.
    /// @return fees What they were paid together.
    /// @return decided Whether a majority of the panel found the same.
    /// @return stands Whether what is disputed stands: unless a majority found otherwise.
    function _payPanel(bytes32 jobId, Terms calldata terms, address provider, Dispute memory dispute)
        private
        returns (uint256 fees, bool decided, bool stands)
    {
        mapping(address => PanelSeat) storage seats =
            _panelSeats[keccak256(abi.encode(jobId, provider, _concluded[jobId][provider] - 1))];
        bytes31 majority = _majorityOf(seats, dispute.panel);
        decided = majority != 0;
        stands = !decided || majority == _wordOf(dispute.claimed);
        emit DisputeConcluded(jobId, provider, bytes32(majority), stands);
        for (uint256 i = 0; i < dispute.panel.length; ++i) {
            address validator = dispute.panel[i];
            PanelSeat storage seat = seats[validator];
            if (seat.status == PanelStatus.Committed) {
                _slash(validator, terms.seatStake, terms.seatStake);
                continue;
            }
            if (seat.status == PanelStatus.Revealed && (!decided || seat.word == majority)) {
                fees += terms.seatFee;
                _credit(validator, terms.token, terms.seatFee);
            }
            registry.unlock(validator, terms.seatStake);
        }
        _credit(dispute.revealed == 0 ? address(0) : dispute.challenger, terms.token, _panelFeesOf(terms) - fees);
    }

    /// @dev What more than half of the panel found; zero without that.
    function _majorityOf(mapping(address => PanelSeat) storage seats, address[] memory panel)
        private
        view
        returns (bytes31)
    {
        for (uint256 i = 0; i < panel.length; ++i) {
            if (seats[panel[i]].status != PanelStatus.Revealed) continue;
            uint256 same = 0;
            for (uint256 j = 0; j < panel.length; ++j) {
                bool revealed = seats[panel[j]].status == PanelStatus.Revealed;
                if (revealed && seats[panel[j]].word == seats[panel[i]].word) ++same;
            }
            if (same * 2 > panel.length) return seats[panel[i]].word;
        }
        return 0;
    }

    /// @dev Takes a closing and those after it back and ends the job. The challenger gets the panel's fees from the
    /// money of the rounds that are void, as far as that goes.
    function _void(
        bytes32 jobId,
        Terms calldata terms,
        Job memory job,
        Closed calldata first,
        Dispute memory dispute,
        uint256 fees
    ) private {
        // Of a job that had ended, the rounds that were not closed have been given back already.
        uint256 given = dispute.back == FederatedState.Ended ? _restOf(terms, job) - _sharesOf(terms, job) : 0;
        job.closed = dispute.round - 1;
        job.asserted = first.asserted;
        uint256 rest = _end(jobId, terms, job, FederatedCause.Overturned, _restOf(terms, job) - given);
        if (fees > rest) fees = rest;
        _credit(dispute.challenger, terms.token, fees);
        _credit(terms.requester, terms.token, rest - fees);
    }

    /// @dev Slashing no stake would still count a strike, so it is left out.
    function _slash(address account, uint256 amount, uint256 burnt) internal {
        if (amount != 0) registry.slash(account, amount, burnt);
    }

    /// @dev The seats that signed what a panel found false lose their stakes. All of it is burnt: no party may gain by
    /// bringing that about.
    function _slashSigners(bytes32 jobId, Terms calldata terms, address[] calldata signers) internal {
        for (uint256 i = 0; i < signers.length; ++i) {
            Account storage account = _accounts[jobId][signers[i]];
            if (account.standing != Standing.Seated) continue;
            account.standing = Standing.Slashed;
            _slash(signers[i], terms.seatStake, terms.seatStake);
        }
    }
}
