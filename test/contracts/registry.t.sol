// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, State} from "../../contracts/interfaces/IJob.sol";
import {IProviderRating, Outcome, Role} from "../../contracts/interfaces/IProviderRating.sol";
import {IProviderRegistry} from "../../contracts/interfaces/IProviderRegistry.sol";
import {Steps} from "./support/Steps.sol";
import {RefusingPayee} from "./support/Tokens.sol";
import {BrokenWallet, ContractWallet} from "./support/Wallets.sol";

/// @notice See registry.tree.
contract RegistryTest is Steps {
    uint256 private constant KEY = 777;

    function test_WhenTheWalletSigned_KeysAndSignatureAreStored() public {
        IProviderRegistry.Draft memory draft = draftOf(true, false);
        bytes memory signature = signKeys(KEY, vm.addr(KEY), draft);
        vm.prank(vm.addr(KEY));
        registry.publish(draft, signature);

        IProviderRegistry.Offer memory offer = registry.offerOf(vm.addr(KEY));
        assertTrue(offer.fingerprint == draft.fingerprint && offer.onionKey == draft.onionKey, "keys");
        assertTrue(keccak256(offer.openpgpKey) == keccak256(draft.openpgpKey), "certificate");
        assertTrue(keccak256(offer.signature) == keccak256(signature), "signature");
        assertTrue(offer.provider && !offer.validator, "roles");
    }

    function test_RevertWhen_TheSignatureIsNotTheWallets() public {
        IProviderRegistry.Draft memory draft = draftOf(true, true);
        bytes memory theirs = signKeys(KEY + 1, vm.addr(KEY), draft);
        bytes memory forAnother = signKeys(KEY, vm.addr(KEY + 1), draft);
        bytes memory good = signKeys(KEY, vm.addr(KEY), draft);
        _assertPublishReverts(vm.addr(KEY), draft, theirs);
        _assertPublishReverts(vm.addr(KEY), draft, forAnother);
        draft.onionKey = keccak256("another key");
        _assertPublishReverts(vm.addr(KEY), draft, good);
    }

    function test_WhenAContractWalletConfirmsTheSignature_ItPublishesAndAccepts() public {
        ContractWallet wallet = new ContractWallet{value: 20 ether}(vm.addr(KEY));
        IProviderRegistry.Draft memory draft = draftOf(true, true);
        bytes memory signature = signKeys(KEY, address(wallet), draft);
        wallet.act(address(registry), 0, abi.encodeCall(IProviderRegistry.publish, (draft, signature)));
        wallet.act(address(registry), STAKE, abi.encodeCall(IProviderRegistry.deposit, (address(wallet))));

        IProviderRegistry.Offer memory offer = registry.offerOf(address(wallet));
        assertTrue(keccak256(offer.signature) == keccak256(signature), "signature");
        assertTrue(offer.provider && offer.pooled, "a provider in the pool");
        IJob.Terms memory terms = termsOf(1);
        terms.provider = address(wallet);
        post(terms);
        wallet.act(address(escrow), 0, abi.encodeCall(escrow.accept, (terms)));
        assertEq(registry.offerOf(address(wallet)).lockedStake, PROVIDER_STAKE, "locked");
    }

    function test_RevertWhen_AContractWalletDoesNotConfirmTheSignature() public {
        IProviderRegistry.Draft memory draft = draftOf(true, true);
        ContractWallet wallet = new ContractWallet(vm.addr(KEY));
        _assertPublishReverts(address(wallet), draft, signKeys(KEY + 1, address(wallet), draft));
        _assertPublishReverts(address(wallet), draft, signKeys(KEY, vm.addr(KEY), draft));
        _assertPublishReverts(address(wallet), draft, "");
        for (uint256 way = 0; way < 4; ++way) {
            BrokenWallet broken = new BrokenWallet(way);
            _assertPublishReverts(address(broken), draft, signKeys(KEY, address(broken), draft));
        }
    }

    function test_RevertWhen_AFieldIsTooLongOrMissing() public {
        IProviderRegistry.Draft memory draft = draftOf(true, true);
        draft.details = new bytes(2049);
        _assertPublishReverts(requester, draft, "", _tooLong(2049, 2048));
        draft = draftOf(true, true);
        draft.openpgpKey = new bytes(2049);
        _assertPublishReverts(requester, draft, "", _tooLong(2049, 2048));
        draft = draftOf(true, true);
        _assertPublishReverts(requester, draft, new bytes(1025), _tooLong(1025, 1024));
        bytes memory missing = abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_MissingKeys.selector);
        draft.onionKey = 0;
        _assertPublishReverts(requester, draft, "", missing);
        draft = draftOf(true, true);
        draft.fingerprint = 0;
        _assertPublishReverts(requester, draft, "", missing);
    }

    function test_WhenStakeLeaves_ItIsPaidAfterTheCooldown() public {
        uint256 before = provider.balance;
        vm.prank(provider);
        registry.requestWithdrawal(provider, STAKE);
        uint256 availableAt = vm.getBlockTimestamp() + COOLDOWN;
        vm.warp(availableAt - 1);
        bytes memory data = abi.encodeCall(IProviderRegistry.withdrawStake, (provider));
        bytes4 selector = IProviderRegistry.ProviderRegistry_CoolingDown.selector;
        _assertReverts(provider, data, abi.encodeWithSelector(selector, provider, availableAt));
        vm.warp(availableAt);
        vm.prank(provider);
        assertEq(registry.withdrawStake(provider), STAKE, "paid");
        selector = IProviderRegistry.ProviderRegistry_NothingLeaving.selector;
        _assertReverts(provider, data, abi.encodeWithSelector(selector, provider));
        assertEq(provider.balance - before, STAKE, "once");
        assertTrue(!registry.offerOf(provider).pooled, "out of the pool");
    }

    function test_RevertWhen_TheOwnerRefusesCoins() public {
        RefusingPayee owner = new RefusingPayee();
        vm.deal(address(owner), 1 ether);
        owner.act(address(registry), 1 ether, abi.encodeCall(IProviderRegistry.deposit, (address(owner))));
        owner.act(address(registry), 0, abi.encodeCall(IProviderRegistry.requestWithdrawal, (address(owner), 1 ether)));
        vm.warp(vm.getBlockTimestamp() + COOLDOWN);
        bytes4 selector = IProviderRegistry.ProviderRegistry_TransferFailed.selector;
        bytes memory reason = abi.encodeWithSelector(selector, address(owner), 1 ether);
        _assertReverts(address(owner), abi.encodeCall(IProviderRegistry.withdrawStake, (address(owner))), reason);
    }

    function test_RevertWhen_LockedStakeLeaves() public {
        reach(termsOf(1), State.Accepted);
        bytes memory data = abi.encodeCall(IProviderRegistry.requestWithdrawal, (provider, STAKE));
        _assertReverts(provider, data, insufficientStake(provider, STAKE - PROVIDER_STAKE, STAKE));
        vm.prank(provider);
        registry.requestWithdrawal(provider, STAKE - PROVIDER_STAKE);
    }

    function test_RevertWhen_StakeDoesNotSuffice() public {
        vm.prank(provider);
        registry.requestWithdrawal(provider, STAKE - PROVIDER_STAKE + 1);
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        // The pool's stake of a member is reserved for draws.
        uint256 free = PROVIDER_STAKE - 1 - POOL_STAKE;
        bytes memory data = abi.encodeCall(escrow.accept, (terms));
        assertReverts(provider, data, insufficientStake(provider, free, PROVIDER_STAKE));
    }

    function test_RevertWhen_AnAccountHasNoOfferForTheRole() public {
        publish(2000, false, true);
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        assertReverts(provider, abi.encodeCall(escrow.accept, (terms)), noOffer(provider, Role.Provider));
    }

    function test_RevertWhen_AnotherAccountThanTheEscrowWrites() public {
        bytes memory reason = abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_NotEscrow.selector, provider);
        _assertReverts(provider, abi.encodeCall(IProviderRegistry.lock, (provider, 1, Role.Provider, true)), reason);
        _assertReverts(provider, abi.encodeCall(IProviderRegistry.unlock, (provider, 1)), reason);
        _assertReverts(provider, abi.encodeCall(IProviderRegistry.slash, (provider, 1, 0)), reason);
        reason = abi.encodeWithSelector(IProviderRating.ProviderRating_NotEscrow.selector, provider);
        bytes memory data = abi.encodeCall(IProviderRating.record, (provider, Role.Provider, Outcome.Settled));
        assertRevertsAt(address(rating), provider, 0, data, reason);
        data = abi.encodeCall(IProviderRating.rate, (provider, Role.Provider, 5));
        assertRevertsAt(address(rating), provider, 0, data, reason);
    }

    function test_WhenSlashedThreeTimes_TheAccountIsBanned() public {
        uint256 pool = registry.poolSize();
        _strike(3);
        IProviderRegistry.Offer memory offer = registry.offerOf(provider);
        assertTrue(offer.banned && !offer.pooled, "banned and out of the pool");
        assertEq(registry.poolSize(), pool - 1, "out of the pool");

        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        assertReverts(provider, abi.encodeCall(escrow.accept, (terms)), banned(provider));
        vm.prank(provider);
        registry.requestWithdrawal(provider, STAKE - 3 * PROVIDER_STAKE);
    }

    function test_WhenStrikesAreOld_TheyNoLongerCount() public {
        _strike(2);
        vm.warp((vm.getBlockTimestamp() / 1 days) * 1 days + registry.STRIKE_LIFE() - 1);
        assertEq(registry.offerOf(provider).strikes, 2, "still counted on the last day");
        vm.warp(vm.getBlockTimestamp() + 1);
        assertEq(registry.offerOf(provider).strikes, 0, "not on the next");
        _strike(2);
        assertEq(registry.offerOf(provider).strikes, 2, "counted from the start");
        assertTrue(!registry.offerOf(provider).banned, "two are no ban");
        _strike(1);
        assertTrue(registry.offerOf(provider).banned, "three are");
    }

    function test_WhenTheLatestStrikeIsFresh_TheEarlierOnesCountToo() public {
        _strike(1);
        vm.warp(vm.getBlockTimestamp() + 60 days);
        _strike(1);
        vm.warp(vm.getBlockTimestamp() + 60 days);
        _strike(1);
        assertTrue(registry.offerOf(provider).banned, "each is within the life of the one before");
    }

    function test_WhenTheBanIsOver_TheAccountAcceptsAndRejoinsThePool() public {
        uint256 pool = registry.poolSize();
        _strike(3);
        IProviderRegistry.Draft memory draft = draftOf(true, true);
        bytes memory signature = signKeys(2000, provider, draft);
        _assertPublishReverts(provider, draft, signature, banned(provider));
        vm.prank(provider);
        registry.deposit{value: 1}(provider);
        assertEq(registry.poolSize(), pool - 1, "a deposit does not bring it back before");

        vm.warp(vm.getBlockTimestamp() + registry.STRIKE_LIFE());
        assertTrue(!registry.offerOf(provider).banned, "over");
        assertEq(registry.poolSize(), pool - 1, "it does not rejoin by itself");
        vm.prank(provider);
        registry.deposit{value: 1}(provider);
        assertEq(registry.poolSize(), pool, "a deposit brings it back");
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        assertEq(registry.offerOf(provider).lockedStake, PROVIDER_STAKE, "and it can accept");
    }

    function test_APageEndsWithTheLastOffer() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Settled);
        vm.prank(requester);
        escrow.rate(terms, provider, 5);

        assertEq(registry.offerCount(), VALIDATORS + 1, "all");
        IProviderRegistry.Offer[] memory page = registry.page(0, 1);
        assertEq(page.length, 1, "one");
        assertEq(page[0].account, provider, "the first that published");
        assertEq(page[0].asProvider.sum, 5, "with its scores");
        assertEq(page[0].asProvider.settled, 1, "and outcomes");
        assertEq(page[0].stake, STAKE, "and stake");
        assertEq(registry.page(VALIDATORS - 1, 100).length, 2, "the rest");
        assertEq(registry.page(VALIDATORS + 1, 100).length, 0, "nothing past the end");
        publish(2000, true, true);
        assertEq(registry.offerCount(), VALIDATORS + 1, "republishing adds none");
    }

    function test_RevertWhen_TheScoreIsOutOfRange() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Settled);
        bytes4 selector = IProviderRating.ProviderRating_InvalidScore.selector;
        for (uint8 score = 0; score <= 6; score += 6) {
            bytes memory data = abi.encodeCall(escrow.rate, (terms, provider, score));
            assertReverts(requester, data, abi.encodeWithSelector(selector, score));
        }
    }

    function _strike(uint256 times) private {
        for (uint256 i = 0; i < times; ++i) {
            IJob.Terms memory late = termsOf(1);
            reach(late, State.Accepted);
            passDeadline(late);
            expire(late, requester);
        }
    }

    function _assertReverts(address who, bytes memory data, bytes memory reason) private {
        assertRevertsAt(address(registry), who, 0, data, reason);
    }

    function _assertPublishReverts(address who, IProviderRegistry.Draft memory draft, bytes memory signature) private {
        _assertPublishReverts(who, draft, signature, invalidSignature(who));
    }

    function _assertPublishReverts(
        address who,
        IProviderRegistry.Draft memory draft,
        bytes memory signature,
        bytes memory reason
    ) private {
        _assertReverts(who, abi.encodeCall(IProviderRegistry.publish, (draft, signature)), reason);
    }

    function _tooLong(uint256 length, uint256 limit) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_TooLong.selector, length, limit);
    }
}
