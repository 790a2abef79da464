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
        bytes4 selector = IProviderRegistry.ProviderRegistry_InsufficientStake.selector;
        bytes memory reason = abi.encodeWithSelector(selector, provider, STAKE - PROVIDER_STAKE, STAKE);
        bytes memory data = abi.encodeCall(IProviderRegistry.requestWithdrawal, (STAKE));
        refusesAt(address(registry), provider, 0, data, reason);
        vm.startPrank(provider);
        registry.requestWithdrawal(STAKE - PROVIDER_STAKE);
        vm.stopPrank();
    }

    function test_RevertWhen_StakeDoesNotSuffice() public {
        vm.prank(provider);
        registry.requestWithdrawal(STAKE - PROVIDER_STAKE + 1);
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        // Of a member of the pool its stake is for draws.
        uint256 free = PROVIDER_STAKE - 1 - POOL_STAKE;
        bytes4 selector = IProviderRegistry.ProviderRegistry_InsufficientStake.selector;
        bytes memory reason = abi.encodeWithSelector(selector, provider, free, PROVIDER_STAKE);
        refuses(provider, abi.encodeCall(IJobEscrow.accept, (terms)), reason);
    }

    function test_RevertWhen_AnAccountHasNoOfferForTheRole() public {
        publish(2000, false, true);
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        bytes4 selector = IProviderRegistry.ProviderRegistry_NoOffer.selector;
        bytes memory reason = abi.encodeWithSelector(selector, provider, Role.Provider);
        refuses(provider, abi.encodeCall(IJobEscrow.accept, (terms)), reason);
    }

    function test_RevertWhen_AnybodyButTheEscrowWrites() public {
        bytes memory reason = abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_NotEscrow.selector, provider);
        _refusesWrite(abi.encodeCall(IProviderRegistry.lock, (provider, 1, Role.Provider, true)), reason);
        _refusesWrite(abi.encodeCall(IProviderRegistry.unlock, (provider, 1)), reason);
        _refusesWrite(abi.encodeCall(IProviderRegistry.slash, (provider, 1, 0)), reason);
        reason = abi.encodeWithSelector(IProviderRating.ProviderRating_NotEscrow.selector, provider);
        bytes memory data = abi.encodeCall(IProviderRating.record, (provider, Role.Provider, Outcome.Settled));
        refusesAt(address(rating), provider, 0, data, reason);
        data = abi.encodeCall(IProviderRating.rate, (provider, Role.Provider, 5));
        refusesAt(address(rating), provider, 0, data, reason);
    }

    function _refusesWrite(bytes memory data, bytes memory reason) private {
        refusesAt(address(registry), provider, 0, data, reason);
    }

    function test_WhenSlashedThreeTimes_TheAccountIsBanned() public {
        uint256 pool = registry.poolSize();
        _strike(3);
        IProviderRegistry.Offer memory offer = registry.offerOf(provider);
        yes(offer.banned && !offer.pooled, "banned, never drawn");
        eq(registry.poolSize(), pool - 1, "out of the pool");

        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        bytes memory banned = abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_Banned.selector, provider);
        refuses(provider, abi.encodeCall(IJobEscrow.accept, (terms)), banned);
        vm.prank(provider);
        registry.requestWithdrawal(STAKE - 3 * PROVIDER_STAKE);
    }

    function test_WhenStrikesAreOld_TheyCountNoMore() public {
        _strike(2);
        vm.warp((vm.getBlockTimestamp() / 1 days) * 1 days + registry.STRIKE_LIFE() - 1);
        eq(registry.offerOf(provider).strikes, 2, "still counted on the last day");
        vm.warp(vm.getBlockTimestamp() + 1);
        eq(registry.offerOf(provider).strikes, 0, "and then no more");
        _strike(2);
        eq(registry.offerOf(provider).strikes, 2, "counted from the start");
        yes(!registry.offerOf(provider).banned, "two are no ban");
        _strike(1);
        yes(registry.offerOf(provider).banned, "three are");
    }

    function test_WhenTheLatestStrikeIsFresh_TheEarlierOnesCountToo() public {
        _strike(1);
        vm.warp(vm.getBlockTimestamp() + 60 days);
        _strike(1);
        vm.warp(vm.getBlockTimestamp() + 60 days);
        _strike(1);
        yes(registry.offerOf(provider).banned, "each within the life of the one before");
    }

    function test_WhenTheBanIsOver_TheAccountWorksAndRejoinsThePool() public {
        uint256 pool = registry.poolSize();
        _strike(3);
        IProviderRegistry.Draft memory draft = draftOf(true, true);
        bytes memory signature = signKeys(2000, provider, draft);
        bytes memory banned = abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_Banned.selector, provider);
        refusesAt(
            address(registry), provider, 0, abi.encodeCall(IProviderRegistry.publish, (draft, signature)), banned
        );
        vm.prank(provider);
        registry.deposit{value: 1}();
        eq(registry.poolSize(), pool - 1, "no way back before");

        vm.warp(vm.getBlockTimestamp() + registry.STRIKE_LIFE());
        yes(!registry.offerOf(provider).banned, "over");
        eq(registry.poolSize(), pool - 1, "by itself it does not rejoin");
        vm.prank(provider);
        registry.deposit{value: 1}();
        eq(registry.poolSize(), pool, "by any move of its stake or offer it does");
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        eq(registry.offerOf(provider).lockedStake, PROVIDER_STAKE, "and works");
    }

    function _strike(uint256 times) private {
        for (uint256 i = 0; i < times; ++i) {
            IJobEscrow.Terms memory late = termsOf(1);
            reach(late, State.Accepted);
            passDeadline(late);
            expire(late, requester);
        }
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
