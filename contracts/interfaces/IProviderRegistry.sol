// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowList} from "./IEscrowList.sol";
import {IProviderRating, Role} from "./IProviderRating.sol";

/// @title Offers, keys and stakes of providers and validators
/// @notice Stakes are in the chain's own coin, in wei. Only an escrow locks, unlocks and slashes them, and it slashes
/// no more than it has locked. Clients and draws respect the fee floor; a provider enforces its price floor itself, by
/// not accepting.
///
/// Each account has an owner, at first itself, and a payee, at first its owner. The account acts in jobs; its stake can
/// be moved by its owner alone, and what it is owed, here and by the escrows, is paid to its payee alone. So the key of
/// an account that a daemon signs with can hold nothing but its gas, while the owner, which may be a contract wallet, is
/// kept elsewhere.
interface IProviderRegistry is IEscrowList {
    /// @notice An offer as its account publishes it.
    /// @dev Warning: only the signature over fingerprint and onion key is checked. A reader must check that the
    /// certificate has that fingerprint, and treat `details` as untrusted.
    /// @param provider Accepts jobs.
    /// @param validator Accepts validations, and is in the pool for draws while it has the pool's stake.
    /// @param priceFloor Least price for an hour of the run window, in the coin's smallest unit.
    /// @param feeFloor Least fee for one validation, in the coin's smallest unit; draws for jobs paid in the
    /// coin respect it.
    /// @param fingerprint 32-byte OpenPGP v6 fingerprint.
    /// @param onionKey 32-byte x25519 key for onion client authorisation.
    /// @param openpgpKey Binary OpenPGP certificate, at most 2 KiB.
    /// @param details JSON by the client's schema, at most 2 KiB.
    struct Draft {
        bool provider;
        bool validator;
        uint128 priceFloor;
        uint128 feeFloor;
        bytes32 fingerprint;
        bytes32 onionKey;
        bytes openpgpKey;
        bytes details;
    }

    /// @notice An offer as clients read it, with stake and ratings in the same answer.
    /// @param stake All staked coins, including those locked, without those that are leaving; wei.
    /// @param lockedStake The part that live jobs have locked; wei.
    /// @param strikes Slashings that still count, see {STRIKE_LIFE}; at {MAX_STRIKES} the account is banned.
    /// @param pooled Whether draws may pick the account.
    /// @param signature The wallet's EIP-712 signature over its keys, see {publish}.
    struct Offer {
        address account;
        bool provider;
        bool validator;
        bool banned;
        bool pooled;
        uint8 strikes;
        uint96 stake;
        uint96 lockedStake;
        uint128 priceFloor;
        uint128 feeFloor;
        bytes32 fingerprint;
        bytes32 onionKey;
        bytes openpgpKey;
        bytes details;
        bytes signature;
        IProviderRating.Rating asProvider;
        IProviderRating.Rating asValidator;
    }

    /// @notice An account published or replaced its offer.
    event Published(address indexed account, bool provider, bool validator, bytes32 fingerprint, bytes32 onionKey);
    /// @notice Coins were added to `account`'s stake, which is now `stake`.
    event Deposited(address indexed account, uint256 amount, uint256 stake);
    /// @notice Coins left the stake and can be withdrawn from `availableAt` (Unix seconds) on.
    event WithdrawalRequested(address indexed account, uint256 amount, uint256 availableAt);
    /// @notice Stake of `account` was paid out to `payee`.
    event StakeWithdrawn(address indexed account, address indexed payee, uint256 amount);
    /// @notice `to` may become the owner of `account`; zero: no other account may.
    event OwnershipOffered(address indexed account, address indexed to);
    /// @notice `account` belongs to `owner`, and `owner` is its payee.
    event OwnerChanged(address indexed account, address indexed owner);
    /// @notice What `account` is owed goes to `payee`.
    event PayeeChanged(address indexed account, address indexed payee);
    /// @notice `account` lost `amount`, of which `burnt` stays in the registry, where no call can reach it.
    event Slashed(address indexed account, uint256 amount, uint256 burnt, uint256 strikes);
    /// @notice Slashed {MAX_STRIKES} times, or once for a proven cheat in a federated job with `refunds`: cannot accept
    /// jobs or be drawn for {STRIKE_LIFE}; may withdraw free stake.
    event Banned(address indexed account);

    /// @notice Only an escrow may call.
    error ProviderRegistry_NotEscrow(address caller);
    error ProviderRegistry_TooLong(uint256 length, uint256 limit);
    /// @notice The signature is not `account`'s over these keys.
    error ProviderRegistry_InvalidSignature(address account);
    error ProviderRegistry_MissingKeys();
    /// @notice `account` has no offer for this role.
    error ProviderRegistry_NoOffer(address account, Role role);
    error ProviderRegistry_Banned(address account);
    error ProviderRegistry_InsufficientStake(address account, uint256 free, uint256 wanted);
    error ProviderRegistry_NothingLeaving(address account);
    error ProviderRegistry_CoolingDown(address account, uint256 availableAt);
    error ProviderRegistry_TransferFailed(address to, uint256 amount);
    /// @notice The call is for the owner of `account`, which `caller` is not; or for it and the account itself.
    error ProviderRegistry_NotOwner(address account, address caller);
    /// @notice `account` was not offered to `caller`.
    error ProviderRegistry_NotOffered(address account, address caller);

    /// @notice Publishes or replaces the caller's offer, whole. Anyone who is not banned.
    /// @param signature The caller's EIP-712 signature, domain ("ichain", "1", chain id, this contract), over
    /// `Keys(address account,bytes32 fingerprint,bytes32 onionKey)`; contract wallets answer by ERC-1271. It is stored,
    /// so that a reader can check the binding without trusting a node.
    /// @dev Warning: a contract wallet can withdraw its answer later, while the offer stays.
    function publish(Draft calldata draft, bytes calldata signature) external;

    /// @notice Offers `account` to a new owner; zero takes an offer back. Only its owner.
    /// @dev Nothing changes until `to` accepts, so that a mistyped address costs nothing unless somebody has its key.
    function offerOwnership(address account, address to) external;

    /// @notice Makes the caller, to whom it was offered, the owner of `account`, and its payee: a payee that was set
    /// before counts no longer.
    function acceptOwnership(address account) external;

    /// @notice Sets where all that `account` is owed goes, from the next withdrawal on; zero: to its owner. Only its
    /// owner.
    /// @dev Warning: nobody has to confirm the address. Money that was paid to a wrong one is lost.
    function setPayee(address account, address payee) external;

    /// @notice Adds the coins sent to the stake of `account`. Only the account and its owner, so that no other can put
    /// it into the pool.
    /// @dev Warning: with the pool's stake a validator can be drawn from the next second on, and is counted late when
    /// it does not commit.
    function deposit(address account) external payable;

    /// @notice Takes `amount` (wei) out of the free stake of `account`; {withdrawStake} pays it after {COOLDOWN}. Only
    /// its owner.
    /// @dev Warning: a second request joins the first and starts the cooldown of both again.
    function requestWithdrawal(address account, uint96 amount) external;

    /// @notice Pays the payee of `account` all that was requested, once the cooldown is over. Only the account and its
    /// owner.
    /// @return amount Coins paid, wei.
    function withdrawStake(address account) external returns (uint256 amount);

    /// @notice Locks `amount` of `account`'s stake for a job. Only an escrow; reverts when the account has no
    /// offer for `role`, is banned, or has too little free stake.
    /// @dev Warning: `amount` must fit 96 bits, as the terms' stakes do; more is cut off.
    /// @param drawn Whether a draw locks it. {POOL_STAKE} of a member's stake is for draws alone, so that a party
    /// cannot keep members out of a draw by appointing them to other jobs just before it.
    function lock(address account, uint256 amount, Role role, bool drawn) external;

    /// @notice Unlocks `amount` again. Only an escrow.
    function unlock(address account, uint256 amount) external;

    /// @notice Takes `amount` of the locked stake and counts one strike: `burnt` of it stays in the registry, where no
    /// call can reach it; the rest is paid to the escrow, which has credited it. Only an escrow.
    function slash(address account, uint256 amount, uint256 burnt) external;

    /// @notice Bans `account` at once, as {MAX_STRIKES} slashings would. Only an escrow.
    function ban(address account) external;

    /// @notice The member at place `random` (modulo size) of the pool as it was at the end of second `asOf` (Unix
    /// seconds), or zero when it cannot serve now. To serve it must still be in the pool, have `minFree` of its stake
    /// free, and a fee floor of at most `fee`. The cost grows with the logarithm of the number of the pool's changes.
    /// @dev Warning: the answer can change within a block while `asOf` is the present second.
    function candidate(uint256 random, uint256 asOf, uint256 minFree, uint256 fee) external view returns (address);

    /// @notice Offers `from … from + limit − 1` in the order of first publication, with stakes and ratings. A page that
    /// reaches past the end is shorter.
    /// @dev Warning: reading 100 offers takes about ten million gas, which a node may refuse to spend on one call.
    function page(uint256 from, uint256 limit) external view returns (Offer[] memory);

    /// @notice The offer of `account`; all zero, `account` included, when it never published.
    function offerOf(address account) external view returns (Offer memory);

    /// @notice Number of accounts that have published an offer: the end of {page}.
    function offerCount() external view returns (uint256);

    /// @notice Members of the pool that draws pick from.
    function poolSize() external view returns (uint256);

    /// @notice The amount that {withdrawStake} will pay `account`, wei, and from when, Unix seconds.
    function leaving(address account) external view returns (uint256 amount, uint256 availableAt);

    /// @notice Whose `account` is.
    /// @return owner Itself, until another has accepted it.
    /// @return payee Where all that it is owed is paid: its owner, unless that has set another.
    /// @return offeredTo Who may accept it; zero: no account.
    function ownershipOf(address account) external view returns (address owner, address payee, address offeredTo);

    /// @notice The payee of `account`, for a withdrawal by `caller`; reverts unless that is the account or its owner.
    function payeeFor(address account, address caller) external view returns (address);

    /// @notice Stake that each member of the pool must have, wei.
    function POOL_STAKE() external view returns (uint256);

    /// @notice Seconds between {requestWithdrawal} and {withdrawStake}.
    function COOLDOWN() external view returns (uint256);

    /// @notice Slashings after which an account is banned.
    function MAX_STRIKES() external view returns (uint8);

    /// @notice Seconds since the latest strike, by the day, after which all strikes and a ban are over.
    function STRIKE_LIFE() external view returns (uint256);

    /// @notice Slashed coins that no call can reach, wei.
    function burnt() external view returns (uint256);
}
