// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {EscrowMoney} from "../escrow/EscrowMoney.sol";
import {FederatedCause, FederatedState, IFederated, PanelStatus, Standing} from "../interfaces/IFederated.sol";
import {IProviderRating} from "../interfaces/IProviderRating.sol";
import {IProviderRegistry} from "../interfaces/IProviderRegistry.sol";

/// @notice The storage of federated jobs, the checks that calls share, the signatures of seats, and the end of a job.
/// @dev Calls to {registry} and {rating} need no reentrancy guard, as in {EscrowStorage}. A contract wallet is asked
/// for its signature by a static call.
abstract contract FederatedStorage is IFederated, EscrowMoney, EIP712 {
    /// Of a job, in one slot.
    struct StrikeCounts {
        /// Providers that are struck, appeal or are condemned, and still have their stakes.
        uint8 open;
        /// Providers that lost their stakes.
        uint8 stood;
        /// Of the others, those that have got their part of these stakes.
        uint8 shared;
    }

    /// A validator's place in the panel of a dispute, in one slot.
    struct PanelSeat {
        PanelStatus status;
        /// First 31 bytes of the commitment, then of the finding's hash.
        bytes31 word;
    }

    /// Members of the pool that a draw looks at for one seat; bounds the gas of a draw.
    uint256 private constant PROBES = 12;
    uint256 internal constant MAX_LOCATOR_BYTES = 1024;
    uint256 internal constant MAX_INVITATION_BYTES = 4096;
    /// Blocks until the block whose hash draws: no caller knows it.
    uint256 private constant DRAW_AFTER = 2;
    /// Blocks whose hashes the chain knows.
    uint256 internal constant HASHES = 256;
    bytes32 private constant ADMISSION_TYPEHASH = keccak256("Admission(bytes32 job,address provider)");
    bytes32 private constant CLOSING_TYPEHASH = keccak256(
        "Closing(bytes32 job,uint16 round,bytes32 updatesRoot,bytes32 modelDigest,bytes32 modelRoot,bytes32 payRoot,bytes32 blindedKey,bytes32 ledgerTip)"
    );
    bytes32 private constant STRIKE_TYPEHASH =
        keccak256("Strike(bytes32 job,address provider,uint16 round,bytes32 upload)");

    /// @inheritdoc IFederated
    uint8 public constant PANEL = 3;
    /// @inheritdoc IFederated
    uint8 public constant MAX_SEATS = 7;
    /// @inheritdoc IFederated
    uint8 public constant COMPENSATION_PERCENT = 10;
    /// @inheritdoc IFederated
    uint256 public constant CLAIM_WINDOW = 180 days;
    /// @inheritdoc IFederated
    bytes32 public constant GUILTY = "guilty";
    /// @inheritdoc IFederated
    bytes32 public constant CLEAR = "clear";
    /// @inheritdoc IFederated
    IProviderRegistry public immutable registry;
    /// @inheritdoc IFederated
    IProviderRating public immutable rating;

    mapping(bytes32 jobId => Job) internal _jobs;
    mapping(bytes32 jobId => bytes32) internal _tips;
    mapping(bytes32 jobId => uint256) internal _paid;
    mapping(bytes32 jobId => mapping(address account => Account)) internal _accounts;
    /// Hash of a provider's last strike and of the seats that signed it.
    mapping(bytes32 jobId => mapping(address provider => bytes32)) internal _strikes;
    /// While a strike is open, the seats answer for it.
    mapping(bytes32 jobId => StrikeCounts) internal _strikeCounts;
    /// By the id of the dispute, see {FederatedExceptions}.
    mapping(bytes32 disputeId => Dispute) internal _disputes;
    mapping(bytes32 disputeId => mapping(address validator => PanelSeat)) internal _panelSeats;
    /// Number of disputes of a job and provider that are concluded: a later one has another id.
    mapping(bytes32 jobId => mapping(address provider => uint256)) internal _concluded;

    constructor(IProviderRegistry registry_, IProviderRating rating_) EIP712("ichain", "1") {
        registry = registry_;
        rating = rating_;
    }

    // ── Money

    /// @inheritdoc EscrowMoney
    function _payeeFor(address account, address caller) internal view override returns (address) {
        return registry.payeeFor(account, caller);
    }

    // ── Ids and signatures

    function _idOf(Terms calldata terms) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), terms));
    }

    function _admissionOf(bytes32 jobId, address provider) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(ADMISSION_TYPEHASH, jobId, provider)));
    }

    function _signedClosingOf(bytes32 jobId, Closing calldata closing) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(CLOSING_TYPEHASH, jobId, closing)));
    }

    function _signedStrikeOf(bytes32 jobId, Strike calldata found) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(STRIKE_TYPEHASH, jobId, found)));
    }

    /// @dev Checks the signatures of more than half of the seats, `least` at least, in ascending order of address.
    function _checkApprovals(
        bytes32 jobId,
        uint256 seated,
        uint256 least,
        bytes32 signed,
        Approval[] calldata approvals
    ) internal view returns (address[] memory signers) {
        uint256 count = approvals.length;
        if (count * 2 <= seated || count < least) revert FederatedEscrow_WrongApprovals(jobId);
        signers = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            address signer = approvals[i].seat;
            bool ascends = i == 0 || signer > signers[i - 1];
            if (!ascends || _accounts[jobId][signer].standing != Standing.Seated) {
                revert FederatedEscrow_WrongApprovals(jobId);
            }
            if (!_isSigned(signer, signed, approvals[i].signature)) revert FederatedEscrow_WrongApprovals(jobId);
            signers[i] = signer;
        }
    }

    /// @dev Recovers first: to ask whether an account is a contract costs as much as recovering does.
    function _isSigned(address signer, bytes32 signed, bytes calldata signature) internal view returns (bool) {
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(signed, signature);
        if (problem == ECDSA.RecoverError.NoError && recovered == signer) return true;
        return SignatureChecker.isValidERC1271SignatureNow(signer, signed, signature);
    }

    /// @dev Checks that `closings` are the last ones of the job, in order and without gaps.
    function _checkClosings(bytes32 jobId, Closed[] calldata closings) internal view {
        uint256 count = closings.length;
        if (count == 0) revert FederatedEscrow_WrongClosings(jobId);
        bytes32 hash;
        for (uint256 i = 0; i < count; ++i) {
            if (i != 0 && closings[i].previous != hash) revert FederatedEscrow_WrongClosings(jobId);
            hash = keccak256(abi.encode(closings[i]));
        }
        if (hash != _tips[jobId]) revert FederatedEscrow_WrongClosings(jobId);
    }

    /// @dev Until when a closing can be challenged: one window after it, or after the last dispute, so that none can use
    /// up the time for another.
    function _challengeBy(Terms calldata terms, Job memory job, Closed calldata closed) internal pure returns (uint256) {
        return Math.max(closed.closedAt, job.resumedAt) + terms.disputeWindow;
    }

    // ── Draws

    /// @dev The block whose hash draws next.
    function _nextDrawBlock() internal view returns (uint40) {
        return uint40(block.number + DRAW_AFTER);
    }

    /// @dev The pool's member for a place, of those that were in it `asOf` (Unix seconds), or zero: each search begins
    /// at a random place and walks on, so that a member that cannot serve does not cost a seat.
    function _find(Terms calldata terms, bytes32 jobId, bytes32 disputeId, bytes32 seed, uint256 place, uint256 asOf)
        internal
        view
        returns (address)
    {
        uint256 fee = terms.token == COIN ? terms.seatFee : type(uint256).max;
        uint256 random = uint256(keccak256(abi.encode(seed, jobId, place))) >> 8;
        for (uint256 probe = 0; probe < PROBES; ++probe) {
            address account = registry.candidate(random + probe, asOf, terms.seatStake, fee);
            bool free = account != address(0) && account != terms.requester
                && _accounts[jobId][account].standing == Standing.None && _panelSeats[disputeId][account].status == PanelStatus.None;
            if (free) return account;
        }
        return address(0);
    }

    // ── Money

    /// @dev What a closed round, or one to come, holds: its price and the fees of `seats`.
    function _roundSum(Terms calldata terms, uint256 seats) internal pure returns (uint256) {
        return uint256(terms.roundPrice) + seats * terms.seatFee;
    }

    /// @dev What the rounds that are not closed would have cost, and the seats that were not drawn.
    function _restOf(Terms calldata terms, Job memory job) internal pure returns (uint256) {
        return terms.rounds * _roundSum(terms, terms.seats) - job.closed * _roundSum(terms, job.seated);
    }

    /// @dev What the providers that share a round's price hold together.
    function _sharesOf(Terms calldata terms, Job memory job) internal pure returns (uint256) {
        return job.sharing == 0 ? 0 : uint256(job.sharing) * (terms.roundPrice / job.asserted);
    }

    /// @dev Ends a job. Where the requester closed the rounds and fell silent, or a panel found a closing false, the
    /// providers that asserted an upload to the round after the last closed one share its price.
    /// @param freed What no closed round holds any more, smallest unit.
    /// @return What is left of it for the caller to credit.
    function _end(bytes32 jobId, Terms calldata terms, Job memory job, FederatedCause cause, uint256 freed)
        internal
        returns (uint256)
    {
        bool shared = cause == FederatedCause.Overturned || terms.seats == 0 && cause != FederatedCause.Completed;
        job.sharing = shared ? job.asserted : 0;
        job.state = FederatedState.Ended;
        job.deadline = job.closed == 0 && cause != FederatedCause.Cheated ? 0 : _in(terms.disputeWindow);
        _jobs[jobId] = job;
        emit Ended(jobId, cause, job.closed, job.deadline);
        return freed - _sharesOf(terms, job);
    }

    /// @dev Ends a job and gives back what its closed rounds do not hold.
    function _finish(bytes32 jobId, Terms calldata terms, Job memory job, FederatedCause cause) internal {
        _credit(terms.requester, terms.token, _end(jobId, terms, job, cause, _restOf(terms, job)));
    }

    // ── Checks

    function _load(Terms calldata terms) internal view returns (bytes32 jobId, Job memory job) {
        jobId = _idOf(terms);
        job = _jobs[jobId];
    }

    function _load(Terms calldata terms, FederatedState state)
        internal
        view
        returns (bytes32 jobId, Job memory job)
    {
        (jobId, job) = _load(terms);
        if (job.state != state) revert FederatedEscrow_InvalidStatus(jobId, job.state);
    }

    /// @dev The instant `window` seconds from now.
    function _in(uint256 window) internal view returns (uint40) {
        return uint40(block.timestamp + window);
    }

    function _checkCaller(bytes32 jobId, address party) internal view {
        if (msg.sender != party) revert FederatedEscrow_NotParty(jobId, msg.sender);
    }

    function _checkStanding(bytes32 jobId, address account, Standing wanted)
        internal
        view
        returns (Account storage stored)
    {
        stored = _accounts[jobId][account];
        if (stored.standing != wanted) revert FederatedEscrow_WrongStanding(jobId, account, stored.standing);
    }

    function _checkInTime(bytes32 jobId, uint256 deadline) internal view {
        if (block.timestamp > deadline) revert FederatedEscrow_TooLate(jobId, deadline);
    }

    /// @dev The second of `deadline` still belongs to the step that ends with it.
    function _checkOver(bytes32 jobId, uint256 deadline) internal view {
        if (block.timestamp <= deadline) revert FederatedEscrow_TooEarly(jobId, deadline);
    }
}
