// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {IProviderRating, Outcome, Role} from "../../contracts/interfaces/IProviderRating.sol";
import {IProviderRegistry} from "../../contracts/interfaces/IProviderRegistry.sol";
import {Steps} from "./support/Steps.sol";
import {BrokenWallet, ContractWallet} from "./support/Wallets.sol";

contract RegistryTest is Steps {
    uint256 private constant KEY = 777;

    function test_WhenTheWalletSigned_KeepsKeysAndSignature() public {
        IProviderRegistry.Draft memory draft = draftOf(true, false);
        bytes memory signature = signKeys(KEY, vm.addr(KEY), draft);
        vm.prank(vm.addr(KEY));
        registry.publish(draft, signature);

        IProviderRegistry.Offer memory offer = registry.offerOf(vm.addr(KEY));
        yes(offer.fingerprint == draft.fingerprint && offer.onionKey == draft.onionKey, "keys");
        yes(keccak256(offer.openpgpKey) == keccak256(draft.openpgpKey), "certificate");
        yes(keccak256(offer.signature) == keccak256(signature), "signature");
        yes(offer.provider && !offer.validator, "roles");
    }

    function test_RevertWhen_TheSignatureIsNotTheWallets() public {
        IProviderRegistry.Draft memory draft = draftOf(true, true);
        bytes memory theirs = signKeys(KEY + 1, vm.addr(KEY), draft);
        bytes memory forAnother = signKeys(KEY, vm.addr(KEY + 1), draft);
        bytes memory good = signKeys(KEY, vm.addr(KEY), draft);
        vm.startPrank(vm.addr(KEY));
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_InvalidSignature.selector);
        registry.publish(draft, theirs);
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_InvalidSignature.selector);
        registry.publish(draft, forAnother);
        draft.onionKey = keccak256("another key");
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_InvalidSignature.selector);
        registry.publish(draft, good);
        vm.stopPrank();
    }

    function test_WhenAContractStandsByTheSignature_ItPublishesAndWorks() public {
        ContractWallet wallet = new ContractWallet{value: 20 ether}(vm.addr(KEY));
        IProviderRegistry.Draft memory draft = draftOf(true, true);
        bytes memory signature = signKeys(KEY, address(wallet), draft);
        wallet.act(address(registry), 0, abi.encodeCall(IProviderRegistry.publish, (draft, signature)));
        wallet.act(address(registry), STAKE, abi.encodeCall(IProviderRegistry.deposit, ()));

        IProviderRegistry.Offer memory offer = registry.offerOf(address(wallet));
        yes(keccak256(offer.signature) == keccak256(signature), "signature");
        yes(offer.provider && offer.pooled, "works like any other");
        IJobEscrow.Terms memory terms = termsOf(1);
        terms.provider = address(wallet);
        post(terms);
        wallet.act(address(escrow), 0, abi.encodeCall(IJobEscrow.accept, (terms)));
        eq(registry.offerOf(address(wallet)).lockedStake, PROVIDER_STAKE, "locked");
    }

    function test_RevertWhen_AContractDoesNotStandByTheSignature() public {
        IProviderRegistry.Draft memory draft = draftOf(true, true);
        ContractWallet wallet = new ContractWallet(vm.addr(KEY));
        _refusesFor(wallet, draft, signKeys(KEY + 1, address(wallet), draft));
        _refusesFor(wallet, draft, signKeys(KEY, vm.addr(KEY), draft));
        _refusesFor(wallet, draft, "");
        for (uint256 way = 0; way < 4; ++way) {
            BrokenWallet broken = new BrokenWallet(way);
            _refusesFor(broken, draft, signKeys(KEY, address(broken), draft));
        }
    }

    function _refusesFor(ContractWallet wallet, IProviderRegistry.Draft memory draft, bytes memory signature) private {
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_InvalidSignature.selector);
        wallet.act(address(registry), 0, abi.encodeCall(IProviderRegistry.publish, (draft, signature)));
    }

    function test_RevertWhen_TooLongOrMissing() public {
        IProviderRegistry.Draft memory draft = draftOf(true, true);
        draft.details = new bytes(2049);
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_TooLong.selector);
        registry.publish(draft, "");
        draft = draftOf(true, true);
        draft.openpgpKey = new bytes(2049);
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_TooLong.selector);
        registry.publish(draft, "");
        draft = draftOf(true, true);
        draft.onionKey = 0;
        vm.expectRevert(IProviderRegistry.ProviderRegistry_MissingKeys.selector);
        registry.publish(draft, "");
    }

    function test_WhenStakeLeaves_ItIsPaidAfterTheCooldown() public {
        uint256 before = provider.balance;
        vm.startPrank(provider);
        registry.requestWithdrawal(STAKE);
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_CoolingDown.selector);
        registry.withdrawStake();
        vm.warp(vm.getBlockTimestamp() + COOLDOWN);
        eq(registry.withdrawStake(), STAKE, "paid");
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_NothingLeaving.selector);
        registry.withdrawStake();
        vm.stopPrank();
        eq(provider.balance - before, STAKE, "once");
        yes(!registry.offerOf(provider).pooled, "out of the pool");
    }

    function test_RevertWhen_LockedStakeLeaves() public {
        reach(termsOf(1), State.Accepted);
        vm.startPrank(provider);
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_InsufficientStake.selector);
        registry.requestWithdrawal(STAKE);
        registry.requestWithdrawal(STAKE - PROVIDER_STAKE);
        vm.stopPrank();
    }

    function test_RevertWhen_StakeDoesNotSuffice() public {
        vm.prank(provider);
        registry.requestWithdrawal(STAKE - PROVIDER_STAKE + 1);
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        vm.prank(provider);
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_InsufficientStake.selector);
        escrow.accept(terms);
    }

    function test_RevertWhen_AnAccountHasNoOfferForTheRole() public {
        publish(2000, false, true);
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        vm.prank(provider);
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_NoOffer.selector);
        escrow.accept(terms);
    }

    function test_RevertWhen_AnybodyButTheEscrowWrites() public {
        vm.startPrank(provider);
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_NotEscrow.selector);
        registry.lock(provider, 1, Role.Provider);
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_NotEscrow.selector);
        registry.unlock(provider, 1);
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_NotEscrow.selector);
        registry.slash(provider, 1, 0);
        vm.expectPartialRevert(IProviderRating.ProviderRating_NotEscrow.selector);
        rating.record(provider, Role.Provider, Outcome.Settled);
        vm.expectPartialRevert(IProviderRating.ProviderRating_NotEscrow.selector);
        rating.rate(provider, Role.Provider, 5);
        vm.stopPrank();
    }

    function test_WhenSlashedThreeTimes_TheAccountIsBanned() public {
        uint256 pool = registry.poolSize();
        for (uint256 i = 0; i < 3; ++i) {
            IJobEscrow.Terms memory late = termsOf(1);
            reach(late, State.Accepted);
            passDeadline(late);
            expire(late, requester);
        }
        IProviderRegistry.Offer memory offer = registry.offerOf(provider);
        yes(offer.banned && !offer.pooled, "banned, never drawn");
        eq(registry.poolSize(), pool - 1, "out of the pool");

        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        vm.prank(provider);
        vm.expectPartialRevert(IProviderRegistry.ProviderRegistry_Banned.selector);
        escrow.accept(terms);
        vm.prank(provider);
        registry.requestWithdrawal(STAKE - 3 * PROVIDER_STAKE);
    }

    function test_ThePoolHoldsStakedValidatorsOnly() public {
        uint256 before = registry.poolSize();
        vm.deal(vm.addr(KEY), 10 ether);
        publish(KEY, true, true);
        eq(registry.poolSize(), before, "not without stake");
        vm.startPrank(vm.addr(KEY));
        registry.deposit{value: POOL_STAKE - 1}();
        eq(registry.poolSize(), before, "not with too little");
        registry.deposit{value: 1}();
        eq(registry.poolSize(), before + 1, "with the pool's stake");
        registry.requestWithdrawal(1);
        eq(registry.poolSize(), before, "not once it leaves");
        vm.stopPrank();
    }

    function test_WhenOneRetires_TheOthersStayInThePool() public {
        uint256 size = registry.poolSize();
        publish(3005, true, false);
        eq(registry.poolSize(), size - 1, "one less");
        bool[] memory seen = new bool[](crowd.length);
        for (uint256 i = 0; i < size - 1; ++i) {
            address member = registry.candidate(i, 0, type(uint256).max);
            for (uint256 j = 0; j < crowd.length; ++j) {
                if (crowd[j] == member) seen[j] = true;
            }
        }
        for (uint256 j = 0; j < crowd.length; ++j) {
            yes(seen[j] == (crowd[j] != vm.addr(3005)), "everybody else, once");
        }
    }

    function test_WhenAFeeFloorIsHigher_TheMemberIsNoCandidate() public view {
        eq(registry.candidate(0, 0, 0), address(0), "works for no less than its floor");
        eq(registry.candidate(0, STAKE + 1, 1), address(0), "has no more than its stake");
        yes(registry.candidate(0, STAKE, 1) != address(0), "else it is one");
    }

    function test_APageEndsWithTheLastOffer() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Settled);
        vm.prank(requester);
        escrow.rate(terms, provider, 5);

        eq(registry.offerCount(), PEOPLE + 1, "all");
        IProviderRegistry.Offer[] memory page = registry.page(0, 1);
        eq(page.length, 1, "one");
        eq(page[0].account, provider, "the first that published");
        eq(page[0].asProvider.sum, 5, "with its scores");
        eq(page[0].asProvider.settled, 1, "and outcomes");
        eq(page[0].stake, STAKE, "and stake");
        eq(registry.page(PEOPLE - 1, 100).length, 2, "the rest");
        eq(registry.page(PEOPLE + 1, 100).length, 0, "nothing past the end");
        publish(2000, true, true);
        eq(registry.offerCount(), PEOPLE + 1, "republishing adds none");
    }
}
