// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../../contracts/interfaces/IJob.sol";
import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {IProviderRating} from "../../../contracts/interfaces/IProviderRating.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Mode, Rule} from "../../../contracts/libraries/Rule.sol";
import {Schedule} from "../../../contracts/libraries/Schedule.sol";
import {Deploy} from "./Deploy.sol";
import {Job, JobView} from "./JobView.sol";

/// @notice Deploys the contracts, with funded and staked accounts, and makes terms between them.
abstract contract Harness is Deploy {
    uint256 internal constant POOL_STAKE = 0.1 ether;
    uint256 internal constant COOLDOWN = 3 days;
    uint96 internal constant STAKE = 10 ether;
    uint128 internal constant PRICE = 1 ether;
    uint128 internal constant FEE = 0.1 ether;
    uint96 internal constant PROVIDER_STAKE = 0.5 ether;
    uint96 internal constant VALIDATOR_STAKE = 0.06 ether;
    /// Shares of the price, in 1/10,000.
    uint16 internal constant EFFORT = 2500;
    uint16 internal constant STOP_FLOOR = 1000;
    uint16 internal constant STOP_CAP = 9000;
    uint24 internal constant WINDOW = 1 hours;
    uint256 internal constant VALIDATORS = 12;
    /// Length of a hash chain of seeds: more than the draws that one job can have.
    uint256 internal constant SEEDS = 8;
    bytes32 internal constant MASK_HASH = keccak256("mask");
    bytes32 internal constant REQUESTERS_SECRET = keccak256("the requester's secret");
    bytes32 internal constant PROVIDERS_SECRET = keccak256("the provider's secret");

    IJobEscrow internal escrow;
    IProviderRegistry internal registry;
    IProviderRating internal rating;
    /// All accounts with an offer, in ascending order of address.
    address[] internal accounts;
    address internal requester;
    address internal provider;
    uint256 private _salt;

    function setUp() public virtual {
        escrow = deployMarket(POOL_STAKE, COOLDOWN);
        registry = escrow.registry();
        rating = escrow.rating();
        requester = vm.addr(1000);
        vm.deal(requester, 1000 ether);
        provider = join(2000);
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            join(3000 + i);
        }
    }

    /// @dev The `i`-th account with an offer, the provider left out: the validators that tests name.
    function validator(uint256 i) internal view returns (address) {
        address who = accounts[i];
        return who >= provider ? accounts[i + 1] : who;
    }

    /// @dev A funded account with an offer for both roles and a stake.
    function join(uint256 key) internal returns (address who) {
        who = vm.addr(key);
        vm.deal(who, 1000 ether);
        publish(key, true, true);
        vm.prank(who);
        registry.deposit{value: STAKE}(who);

        accounts.push(who);
        for (uint256 i = accounts.length - 1; i > 0 && accounts[i - 1] > who; --i) {
            (accounts[i - 1], accounts[i]) = (who, accounts[i - 1]);
        }
    }

    function publish(uint256 key, bool provides, bool validates) internal {
        IProviderRegistry.Draft memory draft = draftOf(provides, validates);
        bytes memory signature = signKeys(key, vm.addr(key), draft);
        vm.prank(vm.addr(key));
        registry.publish(draft, signature);
    }

    function draftOf(bool provides, bool validates) internal pure returns (IProviderRegistry.Draft memory) {
        return IProviderRegistry.Draft({
            provider: provides,
            validator: validates,
            priceFloor: 1,
            feeFloor: 1,
            fingerprint: keccak256("fingerprint"),
            onionKey: keccak256("onion"),
            openpgpKey: "certificate",
            details: "{}"
        });
    }

    function signKeys(uint256 key, address account, IProviderRegistry.Draft memory draft)
        internal
        view
        returns (bytes memory)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("ichain"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        bytes32 keys = keccak256(
            abi.encode(
                keccak256("Keys(address account,bytes32 fingerprint,bytes32 onionKey)"),
                account,
                draft.fingerprint,
                draft.onionKey
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked("\x19\x01", domain, keys)));
        return abi.encodePacked(r, s, v);
    }

    function termsOf(uint8 validators) internal returns (IJob.Terms memory) {
        return termsOf(validators, Mode.Evaluate, address(0));
    }

    /// @dev Valid terms, different at each call; tolerance 0.005, threshold 0.9.
    function termsOf(uint8 validators, Mode mode, address token) internal returns (IJob.Terms memory terms) {
        terms.requester = requester;
        terms.provider = provider;
        terms.token = token;
        terms.price = PRICE;
        terms.validatorFee = FEE;
        terms.providerStake = PROVIDER_STAKE;
        terms.validatorStake = VALIDATOR_STAKE;
        terms.rule = ruleOf(mode, validators, 5_000_000, 900_000_000);
        terms.schedule = scheduleOf(uint40(vm.getBlockTimestamp() + WINDOW), WINDOW);
        terms.specHash = keccak256(abi.encode("spec", ++_salt));
        terms.secretHash = keccak256(abi.encode(MASK_HASH, tipOf(REQUESTERS_SECRET)));
    }

    function ruleOf(Mode mode, uint8 validators, uint64 tolerance, int64 threshold) internal pure returns (Rule) {
        return Rule.wrap(
            uint256(mode) | (uint256(validators) << 8) | (uint256(tolerance) << 16)
                | (uint256(uint64(threshold)) << 80) | (sharesOf(EFFORT, STOP_FLOOR, STOP_CAP) << 144)
        );
    }

    /// @dev The part of a rule above its first 144 bits.
    function sharesOf(uint16 effort, uint16 stopFloor, uint16 stopCap) internal pure returns (uint256) {
        return uint256(effort) | (uint256(stopFloor) << 16) | (uint256(stopCap) << 32);
    }

    /// @dev The seed of draw number `draw`, counted from 1: `draw` hashes of it give the tip.
    function seedOf(bytes32 secret, uint256 draw) internal pure returns (bytes32 seed) {
        seed = secret;
        for (uint256 i = draw; i < SEEDS; ++i) {
            seed = keccak256(abi.encode(seed));
        }
    }

    /// @dev The tip of a hash chain of seeds, which its party commits to.
    function tipOf(bytes32 secret) internal pure returns (bytes32) {
        return seedOf(secret, 0);
    }

    /// @dev A schedule whose windows all have the same length.
    function scheduleOf(uint40 acceptBy, uint24 window) internal pure returns (Schedule) {
        uint256 word = acceptBy;
        for (uint256 i = 0; i < 7; ++i) {
            word |= uint256(window) << (40 + 24 * i);
        }
        return Schedule.wrap(word);
    }

    function jobOf(IJob.Terms memory terms) internal view returns (Job memory) {
        return JobView.open(escrow.recordOf(escrow.jobIdOf(terms)));
    }

    function stateOf(IJob.Terms memory terms) internal view returns (State) {
        return escrow.recordOf(escrow.jobIdOf(terms)).state();
    }

    function seatOf(IJob.Terms memory terms, address who) internal view returns (SeatStatus) {
        return escrow.seatOf(escrow.jobIdOf(terms), who);
    }

    /// @dev All accounts that ever had a seat, in the order that closing calls ask for.
    function panelOf(IJob.Terms memory terms) internal view returns (address[] memory panel) {
        bytes32 id = escrow.jobIdOf(terms);
        panel = new address[](escrow.recordOf(id).occupied());
        uint256 found = 0;
        for (uint256 i = 0; i < accounts.length && found < panel.length; ++i) {
            if (escrow.seatOf(id, accounts[i]) != SeatStatus.None) panel[found++] = accounts[i];
        }
    }

    /// @dev Warps to the second after the present deadline.
    function passDeadline(IJob.Terms memory terms) internal {
        vm.warp(jobOf(terms).deadline + 1);
    }

    /// @dev Warps to the second after the provider's window to draw or disclose, which follows the present deadline.
    function passGrace(IJob.Terms memory terms) internal {
        vm.warp(jobOf(terms).deadline + WINDOW + 1);
    }

    /// @dev Wei that an account's stake has lost.
    function lostBy(address who) internal view returns (uint256) {
        return STAKE - registry.offerOf(who).stake;
    }
}
