// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {FederatedStorage} from "./federated/FederatedStorage.sol";
import {FederatedCause, FederatedState, Standing} from "./interfaces/IFederated.sol";
import {IFederatedCourse} from "./interfaces/IFederatedCourse.sol";
import {IFederatedExceptions} from "./interfaces/IFederatedExceptions.sol";
import {IProviderRating, Role} from "./interfaces/IProviderRating.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";

/// @title Escrow of federated jobs: their money, rounds and seats; see {IFederatedEscrow}
/// @dev The calls in the order of a job's life. A call that is not here goes to {FederatedExceptions} by
/// `delegatecall`, as in {JobEscrow}. In each call `Check` reads and reverts, `Effect` writes this contract's storage
/// and emits, `Interaction` calls another contract.
contract FederatedEscrow is FederatedStorage, IFederatedCourse {
    /// The least window of each kind, seconds: see {Schedule}.
    uint24 private constant MIN_ROUND = 300;
    uint24 private constant MIN_DISPUTE = 300;
    IFederatedExceptions private immutable EXCEPTIONS;
    uint256 private immutable MAX_SEAT_STAKE;

    /// @dev Registry and rating are deployed before, for this contract's address among others.
    /// @param exceptions Deployed for the same registry and rating.
    constructor(IProviderRegistry registry_, IProviderRating rating_, IFederatedExceptions exceptions)
        FederatedStorage(registry_, rating_)
    {
        bool listed = registry_.isEscrow(address(this)) && rating_.isEscrow(address(this));
        bool same = address(exceptions.registry()) == address(registry_)
            && address(exceptions.rating()) == address(rating_);
        if (!listed || !same) revert FederatedEscrow_WrongDeployment();
        EXCEPTIONS = exceptions;
        MAX_SEAT_STAKE = registry_.POOL_STAKE();
    }

    /// @dev Takes the part of a slashed stake that is not burnt; the call that slashes has credited it already.
    receive() external payable {
        // Check
        if (msg.sender != address(registry)) revert FederatedEscrow_NotRegistry(msg.sender);
    }

    /// @dev All calls of {IFederatedExceptions}: its code runs on this contract's storage and money.
    fallback() external payable {
        address exceptions = address(EXCEPTIONS);
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, 0, calldatasize())
            let done := delegatecall(gas(), exceptions, free, calldatasize(), 0, 0)
            returndatacopy(free, 0, returndatasize())
            switch done
            case 0 { revert(free, returndatasize()) }
            default { return(free, returndatasize()) }
        }
    }

    // ── Post and enlist

    /// @inheritdoc IFederatedCourse
    function post(Terms calldata terms, bytes calldata sealedLocator) external payable returns (bytes32 jobId) {
        // Check
        Job memory job;
        (jobId, job) = _load(terms);
        _checkCaller(jobId, terms.requester);
        if (job.state != FederatedState.None) revert FederatedEscrow_AlreadyPosted(jobId);
        if (!_isValid(terms)) revert FederatedEscrow_InvalidTerms();
        _checkInTime(jobId, terms.enlistBy);
        _checkLength(sealedLocator.length, MAX_LOCATOR_BYTES);

        // Effect
        job.state = FederatedState.Enlisting;
        job.deadline = terms.enlistBy + terms.disputeWindow;
        job.postedAt = uint40(block.timestamp);
        _jobs[jobId] = job;
        emit FederatedPosted(jobId, terms.requester, terms, sealedLocator);

        // Interaction
        _take(terms.token, terms.rounds * _roundSum(terms, terms.seats));
    }

    /// @inheritdoc IFederatedCourse
    function invite(Terms calldata terms, address[] calldata invited, bytes calldata sealedInvitation) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms);
        bool running = job.state == FederatedState.Running;
        if (!running && job.state != FederatedState.Enlisting) revert FederatedEscrow_InvalidStatus(jobId, job.state);
        _checkCaller(jobId, terms.requester);
        _checkInTime(jobId, running ? job.deadline : terms.enlistBy);
        _checkLength(sealedInvitation.length, MAX_INVITATION_BYTES);

        // Effect
        emit Invited(jobId, invited, sealedInvitation);
    }

    /// @inheritdoc IFederatedCourse
    function enlist(Terms calldata terms, bytes calldata admission) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms, FederatedState.Enlisting);
        _checkInTime(jobId, terms.enlistBy);
        if (job.enlisted == terms.places) revert FederatedEscrow_WrongCount(jobId, job.enlisted);
        if (msg.sender == terms.requester) revert FederatedEscrow_NotParty(jobId, msg.sender);
        Account storage account = _checkStanding(jobId, msg.sender, Standing.None);
        if (!_isSigned(terms.requester, _admissionOf(jobId, msg.sender), admission)) {
            revert FederatedEscrow_NotAdmitted(jobId, msg.sender);
        }

        // Effect
        account.standing = Standing.Enlisted;
        ++job.enlisted;
        _jobs[jobId] = job;
        emit Enlisted(jobId, msg.sender, job.enlisted);

        // Interaction: the registry calls nothing in turn, so no guard
        registry.lock(msg.sender, terms.providerStake, Role.Provider, false);
    }

    /// @inheritdoc IFederatedCourse
    function begin(Terms calldata terms) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms, FederatedState.Enlisting);
        _checkCaller(jobId, terms.requester);
        _checkInTime(jobId, job.deadline);
        if (job.enlisted < terms.least) revert FederatedEscrow_WrongCount(jobId, job.enlisted);

        // Effect
        if (terms.seats == 0) {
            emit Begun(jobId, 0, 0);
            _openFirst(jobId, terms, job);
        } else {
            job.state = FederatedState.Drawing;
            job.drawBlock = _nextDrawBlock();
            job.deadline = _in(terms.disputeWindow);
            emit Begun(jobId, job.drawBlock, job.deadline);
        }
        _jobs[jobId] = job;
    }

    /// @inheritdoc IFederatedCourse
    function seat(Terms calldata terms, bytes32 seed) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms, FederatedState.Drawing);
        _checkInTime(jobId, job.deadline);
        if (keccak256(abi.encode(seed)) != terms.seedHash) revert FederatedEscrow_SeedMismatch(jobId);
        bytes32 hash = block.number > job.drawBlock ? blockhash(job.drawBlock) : bytes32(0);
        if (hash == 0) revert FederatedEscrow_NoBlockHash(jobId, job.drawBlock);

        // Effect, Interaction: whom a seat goes to is the registry's answer, so the calls cannot all come last
        hash = keccak256(abi.encode(hash, seed));
        for (uint256 i = 0; i < terms.seats; ++i) {
            address validator = _find(terms, jobId, 0, hash, i, job.postedAt);
            if (validator == address(0)) continue;
            (_accounts[jobId][validator].standing, _accounts[jobId][validator].seat) = (Standing.Seated, true);
            ++job.seated;
            emit Seated(jobId, validator);
            registry.lock(validator, terms.seatStake, Role.Validator, true);
        }
        if (job.seated == 0) return _finish(jobId, terms, job, FederatedCause.NoSeats);
        _openFirst(jobId, terms, job);
        _jobs[jobId] = job;
    }

    // ── Rounds

    /// @inheritdoc IFederatedCourse
    function assertUpload(Terms calldata terms, bytes32 upload) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms, FederatedState.Running);
        _checkInTime(jobId, job.deadline);
        Account storage account = _checkStanding(jobId, msg.sender, Standing.Enlisted);
        uint16 round = job.closed + 1;
        if (account.asserted >= round) revert FederatedEscrow_WrongRound(jobId, round);

        // Effect
        account.asserted = round;
        ++job.asserted;
        _jobs[jobId] = job;
        emit UploadAsserted(jobId, msg.sender, round, upload);
    }

    /// @inheritdoc IFederatedCourse
    function close(Terms calldata terms, Closing calldata closing, Approval[] calldata approvals) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms, FederatedState.Running);
        _checkInTime(jobId, job.deadline);
        if (closing.round != job.closed + 1) revert FederatedEscrow_WrongRound(jobId, closing.round);
        address[] memory signers = new address[](0);
        if (terms.seats == 0) _checkCaller(jobId, terms.requester);
        else signers = _checkApprovals(jobId, job.seated, 1, _signedClosingOf(jobId, closing), approvals);

        // Effect
        Closed memory closed = Closed(closing, uint40(block.timestamp), job.asserted, signers, _tips[jobId]);
        _tips[jobId] = keccak256(abi.encode(closed));
        (job.closed, job.asserted) = (closing.round, 0);
        emit RoundClosed(jobId, closing.round, closed);
        if (closing.round == terms.rounds) return _finish(jobId, terms, job, FederatedCause.Completed);
        if (job.stopping) return _finish(jobId, terms, job, FederatedCause.Stopped);
        job.deadline = _in(terms.roundWindow);
        _jobs[jobId] = job;
    }

    // ── Pay

    /// @inheritdoc IFederatedCourse
    function claim(Terms calldata terms, Payout[] calldata payouts, Closed[] calldata closings) external {
        // Check
        (bytes32 jobId, Job memory job) = _load(terms);
        if (job.state == FederatedState.Disputed) revert FederatedEscrow_InvalidStatus(jobId, job.state);
        _checkClosings(jobId, closings);
        Closing calldata closing = closings[0].closing;
        _checkOver(jobId, _challengeBy(terms, job, closings[0]));

        // Check, Effect: one account after the other
        uint256 paid = 0;
        for (uint256 i = 0; i < payouts.length; ++i) {
            paid += _claim(jobId, terms.token, closing.payRoot, payouts[i]);
        }
        if (paid == 0) revert FederatedEscrow_NothingToClaim(jobId);
        paid += _paid[jobId];
        if (paid > closing.round * _roundSum(terms, job.seated)) revert FederatedEscrow_Overdrawn(jobId);
        _paid[jobId] = paid;
        if (closing.round > job.finalRound) _jobs[jobId].finalRound = closing.round;
    }

    // ── Read

    /// @inheritdoc IFederatedCourse
    function jobIdOf(Terms calldata terms) external view returns (bytes32) {
        return _idOf(terms);
    }

    /// @inheritdoc IFederatedCourse
    function jobOf(bytes32 jobId) external view returns (Job memory) {
        return _jobs[jobId];
    }

    /// @inheritdoc IFederatedCourse
    function accountOf(bytes32 jobId, address account) external view returns (Account memory) {
        return _accounts[jobId][account];
    }

    /// @inheritdoc IFederatedCourse
    function tipOf(bytes32 jobId) external view returns (bytes32) {
        return _tips[jobId];
    }

    /// @inheritdoc IFederatedCourse
    function paidOf(bytes32 jobId) external view returns (uint256) {
        return _paid[jobId];
    }

    // ── Steps that only calls above take

    /// @dev Credits what is new to an account; zero where a claim by another caller came first.
    function _claim(bytes32 jobId, address token, bytes32 payRoot, Payout calldata payout)
        private
        returns (uint256 amount)
    {
        (address account, uint128 earned) = (payout.account, payout.earned);
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, earned))));
        if (!MerkleProof.verifyCalldata(payout.proof, payRoot, leaf)) {
            revert FederatedEscrow_WrongProof(jobId, account);
        }
        Account storage stored = _accounts[jobId][account];
        uint128 before = stored.claimed;
        if (earned <= before) return 0;
        stored.claimed = earned;
        amount = earned - before;
        _credit(account, token, amount);
        emit Claimed(jobId, account, amount);
    }

    function _checkLength(uint256 length, uint256 limit) private pure {
        if (length > limit) revert FederatedEscrow_TooLong(length, limit);
    }

    function _isValid(Terms calldata terms) private view returns (bool) {
        return terms.rounds != 0 && terms.least != 0 && terms.least <= terms.places && terms.seats <= MAX_SEATS
            && terms.seatStake <= MAX_SEAT_STAKE && terms.roundWindow >= MIN_ROUND && terms.disputeWindow >= MIN_DISPUTE
            && (!terms.refunds || terms.seats > 1);
    }

    /// @dev Opens the first round, in the copy that the caller saves.
    function _openFirst(bytes32 jobId, Terms calldata terms, Job memory job) private {
        job.state = FederatedState.Running;
        job.deadline = _in(terms.roundWindow);
        emit FirstOpened(jobId, job.deadline);
    }
}
