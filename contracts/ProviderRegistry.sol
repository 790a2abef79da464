// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {EscrowList} from "./escrow/EscrowList.sol";
import {IProviderRating, Role} from "./interfaces/IProviderRating.sol";
import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {CodeStore} from "./libraries/CodeStore.sol";

/// @title Offers, keys and stakes; see {IProviderRegistry}
/// @dev Three calls run code of others: {publish} asks a contract wallet for its signature by a static call, which can
/// change nothing; {withdrawStake} pays a payee last, after all effects; {slash} pays the escrow, whose `receive`
/// only checks the sender. None needs a reentrancy guard.
contract ProviderRegistry is IProviderRegistry, EscrowList, EIP712 {
    using Checkpoints for Checkpoints.Trace160;

    /// The part that the escrow reads and writes on every job, in one slot.
    struct Account {
        uint96 stake;
        uint96 locked;
        /// Place in the pool plus one; zero outside the pool.
        uint24 seat;
        uint8 strikes;
        /// Day of the latest strike, since the Unix epoch.
        uint16 struckOn;
        bool provider;
        bool validator;
    }

    /// The part that only clients read, and withdrawals.
    struct Listing {
        uint128 priceFloor;
        uint128 feeFloor;
        /// Keys, details and signature, stored as code; see {CodeStore}.
        address content;
        uint40 leavingAt;
        uint96 leavingAmount;
    }

    /// To whom an account belongs. Calls of jobs do not read it.
    struct Control {
        /// Zero: the account itself.
        address owner;
        /// Zero: none.
        address offered;
        /// Zero: the account itself, which no other has owned.
        address payee;
    }

    uint256 private constant MAX_BYTES = 2048;
    uint256 private constant MAX_SIGNATURE_BYTES = 1024;
    bytes32 private constant KEYS_TYPEHASH =
        keccak256("Keys(address account,bytes32 fingerprint,bytes32 onionKey)");

    /// @inheritdoc IProviderRegistry
    uint8 public constant MAX_STRIKES = 3;
    /// @inheritdoc IProviderRegistry
    uint256 public constant STRIKE_LIFE = 90 days;
    /// @inheritdoc IProviderRegistry
    uint256 public immutable POOL_STAKE;
    /// @inheritdoc IProviderRegistry
    uint256 public immutable COOLDOWN;
    IProviderRating private immutable RATING;

    /// @inheritdoc IProviderRegistry
    uint256 public burnt;
    mapping(address account => Account) private _accounts;
    mapping(address account => Listing) private _listings;
    mapping(address account => Control) private _controls;
    address[] private _published;
    /// The pool by time: how many members it had, and which member had each place. A draw reads the pool of the past,
    /// so that an account that learns the seeds can no longer change which members they pick from.
    Checkpoints.Trace160 private _poolSizes;
    mapping(uint256 place => Checkpoints.Trace160) private _places;

    /// @dev A check of the escrows' calls.
    modifier onlyEscrow() {
        if (!isEscrow(msg.sender)) revert ProviderRegistry_NotEscrow(msg.sender);
        _;
    }

    /// @dev A check of calls that move stake.
    modifier onlyOwner(address account) {
        if (msg.sender != _ownerOf(account)) revert ProviderRegistry_NotOwner(account, msg.sender);
        _;
    }

    constructor(IProviderRating rating, address[] memory escrows, uint256 poolStake, uint256 cooldown)
        EIP712("ichain", "1")
        EscrowList(escrows)
    {
        RATING = rating;
        POOL_STAKE = poolStake;
        COOLDOWN = cooldown;
    }

    // ── Offers, by their account

    /// @inheritdoc IProviderRegistry
    function publish(Draft calldata draft, bytes calldata signature) external {
        // Check
        Account storage account = _accounts[msg.sender];
        if (_isBanned(account)) revert ProviderRegistry_Banned(msg.sender);
        _checkLength(draft.openpgpKey.length, MAX_BYTES);
        _checkLength(draft.details.length, MAX_BYTES);
        _checkLength(signature.length, MAX_SIGNATURE_BYTES);
        if (draft.fingerprint == 0 || draft.onionKey == 0) revert ProviderRegistry_MissingKeys();
        bytes32 keys = keccak256(abi.encode(KEYS_TYPEHASH, msg.sender, draft.fingerprint, draft.onionKey));
        if (!SignatureChecker.isValidSignatureNow(msg.sender, _hashTypedDataV4(keys), signature)) {
            revert ProviderRegistry_InvalidSignature(msg.sender);
        }

        // Effect
        Listing storage listing = _listings[msg.sender];
        if (listing.content == address(0)) _published.push(msg.sender);
        listing.priceFloor = draft.priceFloor;
        listing.feeFloor = draft.feeFloor;
        listing.content = CodeStore.write(
            abi.encode(draft.fingerprint, draft.onionKey, draft.openpgpKey, draft.details, signature)
        );
        account.provider = draft.provider;
        account.validator = draft.validator;
        _updatePool(msg.sender, account);

        emit Published(msg.sender, draft.provider, draft.validator, draft.fingerprint, draft.onionKey);
    }

    // ── Accounts and their stakes, by their owner

    /// @inheritdoc IProviderRegistry
    function offerOwnership(address account, address to) external onlyOwner(account) {
        // Effect
        _controls[account].offered = to;

        emit OwnershipOffered(account, to);
    }

    /// @inheritdoc IProviderRegistry
    function acceptOwnership(address account) external {
        // Check
        if (msg.sender != _controls[account].offered) revert ProviderRegistry_NotOffered(account, msg.sender);

        // Effect
        _controls[account] = Control({owner: msg.sender, offered: address(0), payee: msg.sender});

        emit OwnerChanged(account, msg.sender);
    }

    /// @inheritdoc IProviderRegistry
    function setPayee(address account, address payee) external onlyOwner(account) {
        // Effect
        if (payee == address(0)) payee = msg.sender;
        _controls[account].payee = payee;

        emit PayeeChanged(account, payee);
    }

    /// @inheritdoc IProviderRegistry
    function deposit(address who) external payable {
        // Check
        _checkMayAct(who, msg.sender);

        // Effect
        Account storage account = _accounts[who];
        account.stake += uint96(msg.value); // no chain has 2^96 wei of its coin
        _updatePool(who, account);

        emit Deposited(who, msg.value, account.stake);
    }

    /// @inheritdoc IProviderRegistry
    function requestWithdrawal(address who, uint96 amount) external onlyOwner(who) {
        // Check
        Account storage account = _accounts[who];
        _checkFree(who, account, amount, 0);

        // Effect
        Listing storage listing = _listings[who];
        uint256 availableAt = block.timestamp + COOLDOWN;
        account.stake -= amount;
        listing.leavingAmount += amount;
        listing.leavingAt = uint40(availableAt);
        _updatePool(who, account);

        emit WithdrawalRequested(who, amount, availableAt);
    }

    /// @inheritdoc IProviderRegistry
    function withdrawStake(address who) external returns (uint256 amount) {
        // Check
        address payee = payeeFor(who, msg.sender);
        Listing storage listing = _listings[who];
        amount = listing.leavingAmount;
        if (amount == 0) revert ProviderRegistry_NothingLeaving(who);
        if (block.timestamp < listing.leavingAt) revert ProviderRegistry_CoolingDown(who, listing.leavingAt);

        // Effect
        listing.leavingAmount = 0;

        emit StakeWithdrawn(who, payee, amount);

        // Interaction: last, so no guard
        _send(payee, amount);
    }

    // ── Stakes, by an escrow

    /// @inheritdoc IProviderRegistry
    function lock(address who, uint256 amount, Role role, bool drawn) external onlyEscrow {
        // Check
        Account storage account = _accounts[who];
        if (_isBanned(account)) revert ProviderRegistry_Banned(who);
        if (!(role == Role.Provider ? account.provider : account.validator)) revert ProviderRegistry_NoOffer(who, role);
        _checkFree(who, account, amount, drawn || account.seat == 0 ? 0 : POOL_STAKE);

        // Effect
        account.locked += uint96(amount);
    }

    /// @inheritdoc IProviderRegistry
    function unlock(address who, uint256 amount) external onlyEscrow {
        // Effect
        _accounts[who].locked -= uint96(amount);
    }

    /// @inheritdoc IProviderRegistry
    function slash(address who, uint256 amount, uint256 burntPart) external onlyEscrow {
        // Effect
        Account storage account = _accounts[who];
        account.locked -= uint96(amount);
        account.stake -= uint96(amount);
        uint8 strikes = _strikes(account);
        account.strikes = strikes < type(uint8).max ? strikes + 1 : strikes;
        account.struckOn = uint16(block.timestamp / 1 days);
        burnt += burntPart;
        _updatePool(who, account);

        emit Slashed(who, amount, burntPart, account.strikes);
        if (account.strikes == MAX_STRIKES) emit Banned(who);

        // Interaction: the escrow's `receive` only checks the sender
        if (burntPart < amount) _send(msg.sender, amount - burntPart);
    }

    /// @inheritdoc IProviderRegistry
    function ban(address who) external onlyEscrow {
        // Check
        Account storage account = _accounts[who];
        if (_isBanned(account)) return;

        // Effect
        (account.strikes, account.struckOn) = (MAX_STRIKES, uint16(block.timestamp / 1 days));
        _updatePool(who, account);
        emit Banned(who);
    }

    // ── Read

    /// @inheritdoc IProviderRegistry
    function candidate(uint256 random, uint256 asOf, uint256 minFree, uint256 fee) external view returns (address who) {
        uint256 members = _poolSizes.upperLookupRecent(uint96(asOf));
        if (members == 0) return address(0);
        who = address(_places[random % members].upperLookupRecent(uint96(asOf)));
        Account storage account = _accounts[who];
        bool fit = account.seat != 0 && !_isBanned(account) && account.stake - account.locked >= minFree;
        if (!fit || _listings[who].feeFloor > fee) return address(0);
    }

    /// @inheritdoc IProviderRegistry
    function page(uint256 from, uint256 limit) external view returns (Offer[] memory offers) {
        uint256 count = _published.length;
        if (from >= count) return offers;
        if (limit > count - from) limit = count - from;
        offers = new Offer[](limit);
        for (uint256 i = 0; i < limit; ++i) {
            offers[i] = offerOf(_published[from + i]);
        }
    }

    /// @inheritdoc IProviderRegistry
    function offerCount() external view returns (uint256) {
        return _published.length;
    }

    /// @inheritdoc IProviderRegistry
    function poolSize() external view returns (uint256) {
        return _poolSizes.latest();
    }

    /// @inheritdoc IProviderRegistry
    function leaving(address who) external view returns (uint256 amount, uint256 availableAt) {
        Listing storage listing = _listings[who];
        return (listing.leavingAmount, listing.leavingAt);
    }

    /// @inheritdoc IProviderRegistry
    function ownershipOf(address account) external view returns (address owner, address payee, address offeredTo) {
        return (_ownerOf(account), _payeeOf(account), _controls[account].offered);
    }

    /// @inheritdoc IProviderRegistry
    function payeeFor(address account, address caller) public view returns (address) {
        _checkMayAct(account, caller);
        return _payeeOf(account);
    }

    /// @inheritdoc IProviderRegistry
    function offerOf(address who) public view returns (Offer memory offer) {
        Listing storage listing = _listings[who];
        if (listing.content == address(0)) return offer;
        Account storage account = _accounts[who];
        offer.account = who;
        offer.provider = account.provider;
        offer.validator = account.validator;
        offer.banned = _isBanned(account);
        offer.pooled = account.seat != 0;
        offer.strikes = _strikes(account);
        offer.stake = account.stake;
        offer.lockedStake = account.locked;
        offer.priceFloor = listing.priceFloor;
        offer.feeFloor = listing.feeFloor;
        (offer.fingerprint, offer.onionKey, offer.openpgpKey, offer.details, offer.signature) =
            abi.decode(CodeStore.read(listing.content), (bytes32, bytes32, bytes, bytes, bytes));
        offer.asProvider = RATING.ratingOf(who, Role.Provider);
        offer.asValidator = RATING.ratingOf(who, Role.Validator);
    }

    // ── Internal

    /// @dev Puts the account into the pool, or takes it out, as its offer, stake and strikes require. The last member
    /// takes the place of one that leaves. An account that finds the pool full (2^24 − 1 members) stays outside.
    function _updatePool(address who, Account storage account) private {
        bool belongs = account.validator && account.stake >= POOL_STAKE && !_isBanned(account);
        uint24 seat = account.seat;
        if (belongs == (seat != 0)) return;
        uint256 members = _poolSizes.latest();
        if (belongs) {
            if (members == type(uint24).max) return;
            _occupy(members, who);
            account.seat = uint24(members + 1);
            ++members;
        } else {
            --members;
            if (seat - 1 != members) {
                address last = address(_places[members].latest());
                _occupy(seat - 1, last);
                _accounts[last].seat = seat;
            }
            account.seat = 0;
        }
        _poolSizes.push(uint96(block.timestamp), uint160(members));
    }

    function _occupy(uint256 place, address who) private {
        _places[place].push(uint96(block.timestamp), uint160(who));
    }

    /// @dev Warning: runs the code of `to` with all remaining gas, so it comes last in a call.
    function _send(address to, uint256 amount) private {
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert ProviderRegistry_TransferFailed(to, amount);
    }

    /// @dev Strikes that still count: all of them until {STRIKE_LIFE} after the start of the latest one's day, then none.
    function _strikes(Account storage account) private view returns (uint8) {
        bool fresh = block.timestamp < uint256(account.struckOn) * 1 days + STRIKE_LIFE;
        return fresh ? account.strikes : 0;
    }

    function _isBanned(Account storage account) private view returns (bool) {
        return account.strikes >= MAX_STRIKES && _strikes(account) >= MAX_STRIKES;
    }

    /// @param reserved The part of the stake that only a draw may lock.
    function _checkFree(address who, Account storage account, uint256 wanted, uint256 reserved) private view {
        uint256 free = account.stake - account.locked;
        free = free < reserved ? 0 : free - reserved;
        if (free < wanted) revert ProviderRegistry_InsufficientStake(who, free, wanted);
    }

    function _ownerOf(address account) private view returns (address) {
        address owner = _controls[account].owner;
        return owner == address(0) ? account : owner;
    }

    function _payeeOf(address account) private view returns (address) {
        address payee = _controls[account].payee;
        return payee == address(0) ? account : payee;
    }

    /// @dev The account itself may do what neither takes stake from it nor leads money elsewhere.
    function _checkMayAct(address account, address caller) private view {
        if (caller != account && caller != _ownerOf(account)) revert ProviderRegistry_NotOwner(account, caller);
    }

    function _checkLength(uint256 length, uint256 limit) private pure {
        if (length > limit) revert ProviderRegistry_TooLong(length, limit);
    }
}
