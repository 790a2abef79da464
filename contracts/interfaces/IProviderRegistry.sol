// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IProviderRating, Role} from "./IProviderRating.sol";

/// @title Offers, keys and stakes of providers and validators
/// @notice Stakes are in the chain's own coin. `JobEscrow` alone locks, unlocks and slashes them, and never
/// more than it has locked. Floors are statements to clients and to the draw; a provider enforces its price
/// floor itself, by not accepting.
interface IProviderRegistry {
    /// @notice What an account publishes of itself.
    /// @param provider Takes jobs.
    /// @param validator Takes validations, and joins the pool for draws while it has the pool's stake.
    /// @param priceFloor Least price for an hour of the run window, in the coin's smallest unit.
    /// @param feeFloor Least fee for one validation, in the coin's smallest unit; draws for jobs paid in the
    /// coin respect it.
    /// @param fingerprint 32-byte OpenPGP v6 fingerprint.
    /// @param onionKey 32-byte x25519 key for onion client authorisation.
    /// @param openpgpKey Binary OpenPGP certificate, at most 2 KiB.
    /// @param details JSON as the client's schema has it, at most 2 KiB; untrusted.
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
    /// @param stake All coins that stand behind the account, locked ones included, leaving ones not.
    /// @param lockedStake The part that live jobs have locked.
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
    /// @notice Coins left the stake and can be taken from `availableAt` (Unix seconds) on.
    event WithdrawalRequested(address indexed account, uint256 amount, uint256 availableAt);
    /// @notice Coins were paid out to `account`.
    event StakeWithdrawn(address indexed account, uint256 amount);
    /// @notice `account` lost `amount`, of which `burnt` is out of everybody's reach for ever.
    event Slashed(address indexed account, uint256 amount, uint256 burnt, uint256 strikes);
    /// @notice Repeatedly slashed: takes no jobs and is never drawn for {STRIKE_LIFE}; its free stake stays its own.
    event Banned(address indexed account);

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

    /// @notice Publishes or replaces the caller's offer, whole. Anyone who is not banned.
    /// @param signature The caller's EIP-712 signature, domain ("ichain", "1", chain id, this contract), over
    /// `Keys(address account,bytes32 fingerprint,bytes32 onionKey)`; contract wallets answer by ERC-1271.
    /// It is kept, so that any reader can check the binding without trusting a node.
    function publish(Draft calldata draft, bytes calldata signature) external;

    /// @notice Adds the coins sent to the caller's stake.
    function deposit() external payable;

    /// @notice Takes `amount` of the caller's free stake out of service; {withdrawStake} pays it after
    /// {COOLDOWN}. A second request joins the first and starts its cooldown again.
    function requestWithdrawal(uint96 amount) external;

    /// @notice Pays the caller what it requested, once the cooldown is over.
    /// @return amount Coins paid, smallest unit.
    function withdrawStake() external returns (uint256 amount);

    /// @notice Locks `amount` of `account`'s stake for a job. Only the escrow; reverts when the account has no
    /// offer for `role`, is banned, or has too little free stake.
    /// @param drawn Whether a draw asks. Of a member's stake {POOL_STAKE} is for draws alone, so that nobody can
    /// keep members out of a draw by appointing them elsewhere just before it.
    function lock(address account, uint256 amount, Role role, bool drawn) external;

    /// @notice Lets `amount` go again. Only the escrow.
    function unlock(address account, uint256 amount) external;

    /// @notice Takes `amount` of what is locked: `burnt` of it for ever, the rest is paid to the escrow, which
    /// credits the victims. One strike. Only the escrow.
    function slash(address account, uint256 amount, uint256 burnt) external;

    /// @notice The member at a random place of the pool as it was at the end of second `asOf` (Unix seconds), or zero
    /// when it cannot serve now: still in the pool, `minFree` stake free, fee floor at most `fee`. The cost grows
    /// with the logarithm of the pool's changes.
    function candidate(uint256 random, uint256 asOf, uint256 minFree, uint256 fee) external view returns (address);

    /// @notice Offers `from … from + limit − 1` in the order of first publication, with stakes and ratings.
    /// Past the end the page is shorter. A 100-offer page costs a node some ten million gas of reading.
    function page(uint256 from, uint256 limit) external view returns (Offer[] memory);

    /// @notice The offer of `account`; all zero, `account` included, when it never published.
    function offerOf(address account) external view returns (Offer memory);

    /// @notice Offers ever published, the bound of {page}.
    function offerCount() external view returns (uint256);

    /// @notice Members of the pool that draws pick from.
    function poolSize() external view returns (uint256);

    /// @notice What {withdrawStake} will pay `account`, and from when (Unix seconds).
    function leaving(address account) external view returns (uint256 amount, uint256 availableAt);

    /// @notice Stake that the pool asks of each member, smallest unit.
    function POOL_STAKE() external view returns (uint256);

    /// @notice Seconds between {requestWithdrawal} and {withdrawStake}.
    function COOLDOWN() external view returns (uint256);

    /// @notice Slashings after which an account is banned.
    function MAX_STRIKES() external view returns (uint8);

    /// @notice Seconds since the latest strike, by the day, after which all strikes and a ban are over.
    function STRIKE_LIFE() external view returns (uint256);

    /// @notice Slashed coins that nobody can reach, smallest unit.
    function burnt() external view returns (uint256);

    /// @notice The only account that may lock, unlock and slash.
    function escrow() external view returns (address);
}
