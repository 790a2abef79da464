// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowMoney} from "../../contracts/interfaces/IEscrowMoney.sol";
import {IJob, State} from "../../contracts/interfaces/IJob.sol";
import {IProviderRegistry} from "../../contracts/interfaces/IProviderRegistry.sol";
import {Mode} from "../../contracts/libraries/Rule.sol";
import {Steps} from "./support/Steps.sol";
import {PlainToken, RefusingPayee} from "./support/Tokens.sol";
import {ContractWallet} from "./support/Wallets.sol";

/// @notice See owners.tree.
contract OwnersTest is Steps {
    address private immutable OWNER = vm.addr(9001);
    address private immutable PAYEE = vm.addr(9002);
    address private immutable THIEF = vm.addr(9003);

    function test_WhenAnAccountHasNoOwner_ItOwnsItselfAndIsPaidItself() public view {
        assertEq(_ownerOf(provider), provider, "owner");
        assertEq(_payeeOf(provider), provider, "payee");
        assertEq(_offeredTo(provider), address(0), "not offered");
    }

    function test_WhenAnAccountIsOffered_NothingChangesUntilItIsAccepted() public {
        vm.prank(provider);
        registry.offerOwnership(provider, OWNER);
        assertEq(_offeredTo(provider), OWNER, "offered");
        assertEq(_ownerOf(provider), provider, "owner");
        assertEq(_payeeOf(provider), provider, "payee");
        _refuses(OWNER, abi.encodeCall(IProviderRegistry.requestWithdrawal, (provider, 1)), _notOwner(OWNER));
        vm.prank(provider);
        registry.requestWithdrawal(provider, 1);
    }

    function test_WhenAnAccountIsAccepted_StakeAndPayAreItsOwners() public {
        vm.prank(provider);
        registry.setPayee(provider, PAYEE);
        _own(OWNER);
        assertEq(_ownerOf(provider), OWNER, "owner");
        assertEq(_payeeOf(provider), OWNER, "the payee that was set before counts no longer");
        assertEq(_offeredTo(provider), address(0), "offered once");

        reach(termsOf(1), State.Settled);
        vm.prank(OWNER);
        assertEq(escrow.withdraw(provider, address(0)), PRICE, "pay");
        vm.prank(OWNER);
        registry.requestWithdrawal(provider, STAKE);
        vm.warp(vm.getBlockTimestamp() + COOLDOWN);
        vm.prank(OWNER);
        assertEq(registry.withdrawStake(provider), STAKE, "stake");
        assertEq(OWNER.balance, PRICE + STAKE, "paid to the owner");
    }

    function test_RevertWhen_AnotherAccountAccepts() public {
        vm.prank(provider);
        registry.offerOwnership(provider, OWNER);
        bytes memory data = abi.encodeCall(IProviderRegistry.acceptOwnership, (provider));
        _refuses(THIEF, data, _notOffered(THIEF));
        _refuses(provider, data, _notOffered(provider));
        vm.prank(OWNER);
        registry.acceptOwnership(provider);
        _refuses(OWNER, data, _notOffered(OWNER));
    }

    function test_RevertWhen_AnOfferIsTakenBack() public {
        vm.prank(provider);
        registry.offerOwnership(provider, OWNER);
        vm.prank(provider);
        registry.offerOwnership(provider, address(0));
        _refuses(OWNER, abi.encodeCall(IProviderRegistry.acceptOwnership, (provider)), _notOffered(OWNER));
    }

    function test_RevertWhen_TheAccountItselfActsAsItsOwner() public {
        _own(OWNER);
        bytes memory reason = _notOwner(provider);
        _refuses(provider, abi.encodeCall(IProviderRegistry.offerOwnership, (provider, provider)), reason);
        _refuses(provider, abi.encodeCall(IProviderRegistry.setPayee, (provider, provider)), reason);
        _refuses(provider, abi.encodeCall(IProviderRegistry.requestWithdrawal, (provider, 1)), reason);
    }

    function test_RevertWhen_AStrangerActs() public {
        reach(termsOf(1), State.Settled);
        bytes memory reason = _notOwner(THIEF);
        _refuses(THIEF, abi.encodeCall(IProviderRegistry.offerOwnership, (provider, THIEF)), reason);
        _refuses(THIEF, abi.encodeCall(IProviderRegistry.setPayee, (provider, THIEF)), reason);
        _refuses(THIEF, abi.encodeCall(IProviderRegistry.deposit, (provider)), reason);
        _refuses(THIEF, abi.encodeCall(IProviderRegistry.requestWithdrawal, (provider, 1)), reason);
        _refuses(THIEF, abi.encodeCall(IProviderRegistry.withdrawStake, (provider)), reason);
        assertReverts(THIEF, abi.encodeCall(IEscrowMoney.withdraw, (provider, address(0))), reason);
        // Deposits of lost challenges are owed to the zero address, which no account is.
        bytes4 selector = IProviderRegistry.ProviderRegistry_NotOwner.selector;
        reason = abi.encodeWithSelector(selector, address(0), THIEF);
        assertReverts(THIEF, abi.encodeCall(IEscrowMoney.withdraw, (address(0), address(0))), reason);
    }

    function test_WhenAPayeeIsSet_CoinsTokensAndStakeGoToItWhoeverWithdraws() public {
        PlainToken token = new PlainToken();
        token.mint(requester, 100 ether);
        vm.prank(requester);
        token.approve(address(escrow), type(uint256).max);
        reach(termsOf(1, Mode.Evaluate, address(token)), State.Settled);
        reach(termsOf(1), State.Settled);
        _own(OWNER);
        vm.prank(OWNER);
        registry.setPayee(provider, PAYEE);
        assertEq(_payeeOf(provider), PAYEE, "set");

        vm.prank(provider);
        escrow.withdraw(provider, address(token));
        vm.prank(OWNER);
        escrow.withdraw(provider, address(0));
        assertEq(token.balanceOf(PAYEE), PRICE, "tokens");
        assertEq(PAYEE.balance, PRICE, "coins");
        vm.prank(OWNER);
        registry.requestWithdrawal(provider, STAKE);
        vm.warp(vm.getBlockTimestamp() + COOLDOWN);
        vm.prank(provider);
        registry.withdrawStake(provider);
        assertEq(PAYEE.balance, PRICE + STAKE, "stake");

        vm.prank(OWNER);
        registry.setPayee(provider, address(0));
        assertEq(_payeeOf(provider), OWNER, "the owner again");
    }

    function test_WhenThePayeeRefusesCoins_TheOwnerNamesAnother() public {
        reach(termsOf(1), State.Settled);
        address refusing = address(new RefusingPayee());
        _own(OWNER);
        vm.prank(OWNER);
        registry.setPayee(provider, refusing);
        bytes memory data = abi.encodeCall(IEscrowMoney.withdraw, (provider, address(0)));
        bytes4 selector = IEscrowMoney.Escrow_TransferFailed.selector;
        assertReverts(provider, data, abi.encodeWithSelector(selector, refusing, PRICE));
        vm.prank(OWNER);
        registry.setPayee(provider, PAYEE);
        vm.prank(provider);
        escrow.withdraw(provider, address(0));
        assertEq(PAYEE.balance, PRICE, "nothing is lost");
    }

    function test_WhenAnAccountIsGivenBack_ItOwnsItselfAgain() public {
        _own(OWNER);
        vm.prank(OWNER);
        registry.setPayee(provider, PAYEE);
        vm.prank(OWNER);
        registry.offerOwnership(provider, provider);
        vm.prank(provider);
        registry.acceptOwnership(provider);
        assertEq(_ownerOf(provider), provider, "owner");
        assertEq(_payeeOf(provider), provider, "payee");
        _refuses(OWNER, abi.encodeCall(IProviderRegistry.requestWithdrawal, (provider, 1)), _notOwner(OWNER));
    }

    function test_WhenAContractWalletOwns_ItStakesAndWithdraws() public {
        ContractWallet safe = new ContractWallet{value: 5 ether}(THIEF);
        vm.prank(provider);
        registry.offerOwnership(provider, address(safe));
        safe.act(address(registry), 0, abi.encodeCall(IProviderRegistry.acceptOwnership, (provider)));
        safe.act(address(registry), 5 ether, abi.encodeCall(IProviderRegistry.deposit, (provider)));
        assertEq(registry.offerOf(provider).stake, STAKE + 5 ether, "staked for the account");
        reach(termsOf(1), State.Settled);
        safe.act(address(escrow), 0, abi.encodeCall(IEscrowMoney.withdraw, (provider, address(0))));
        assertEq(address(safe).balance, PRICE, "paid");
    }

    /// @dev Any history of calls by somebody who has the account's key, and an account of their own.
    function testFuzz_WhenTheKeyOfAnAccountIsStolen_TheThiefGetsNothingThatIsOwedAndNoStake(uint256[24] memory seeds)
        public
    {
        _own(OWNER);
        reach(termsOf(1), State.Settled);
        vm.prank(OWNER);
        registry.requestWithdrawal(provider, 1 ether);
        vm.warp(vm.getBlockTimestamp() + COOLDOWN);
        uint256 coins = provider.balance;
        for (uint256 i = 0; i < seeds.length; ++i) {
            address who = seeds[i] % 2 == 0 ? provider : THIEF;
            address to = (seeds[i] >> 8) % 2 == 0 ? provider : THIEF;
            (address target, bytes memory data) = _theft(seeds[i] >> 16, to);
            vm.prank(who);
            (bool done,) = target.call(data);
            if (done) assertTrue(who == provider && (target == address(escrow) || (seeds[i] >> 16) % 6 == 4), "pays");
        }
        assertEq(provider.balance + THIEF.balance, coins, "the thief has what the key held");
        assertEq(_ownerOf(provider), OWNER, "owner");
        assertEq(_payeeOf(provider), OWNER, "payee");
        assertEq(registry.offerOf(provider).stake, STAKE - 1 ether, "stake");
        (uint256 leaving,) = registry.leaving(provider);
        assertEq(OWNER.balance + leaving + escrow.owed(provider, address(0)), PRICE + 1 ether, "or the owner has it");
    }

    function test_WhenTheKeyOfAnAccountIsStolen_AJobOfTheThiefsOwnBringsItATenthOfTheStakeThatIsFree() public {
        _own(OWNER);
        vm.prank(OWNER);
        registry.requestWithdrawal(provider, STAKE / 2);
        vm.deal(THIEF, 10 ether);
        IJob.Terms memory terms = termsOf(0);
        terms.requester = THIEF;
        terms.providerStake = uint96(STAKE / 2 - POOL_STAKE);
        post(terms);
        accept(terms);
        passDeadline(terms);
        expire(terms, THIEF);
        vm.prank(THIEF);
        escrow.withdraw(THIEF, address(0));
        assertEq(THIEF.balance, 10 ether + terms.providerStake / 10, "a tenth");
        (uint256 leaving,) = registry.leaving(provider);
        assertEq(leaving, STAKE / 2, "what the owner took out in time is out of reach");
    }

    function _theft(uint256 seed, address to) private view returns (address target, bytes memory data) {
        uint256 what = seed % 6;
        if (what == 5) return (address(escrow), abi.encodeCall(IEscrowMoney.withdraw, (provider, address(0))));
        target = address(registry);
        if (what == 0) data = abi.encodeCall(IProviderRegistry.offerOwnership, (provider, to));
        else if (what == 1) data = abi.encodeCall(IProviderRegistry.acceptOwnership, (provider));
        else if (what == 2) data = abi.encodeCall(IProviderRegistry.setPayee, (provider, to));
        else if (what == 3) data = abi.encodeCall(IProviderRegistry.requestWithdrawal, (provider, uint96(seed >> 8)));
        else data = abi.encodeCall(IProviderRegistry.withdrawStake, (provider));
    }

    function _ownerOf(address account) private view returns (address owner) {
        (owner,,) = registry.ownershipOf(account);
    }

    function _payeeOf(address account) private view returns (address payee) {
        (, payee,) = registry.ownershipOf(account);
    }

    function _offeredTo(address account) private view returns (address to) {
        (,, to) = registry.ownershipOf(account);
    }

    function _own(address owner) private {
        vm.prank(provider);
        registry.offerOwnership(provider, owner);
        vm.prank(owner);
        registry.acceptOwnership(provider);
    }

    function _refuses(address who, bytes memory data, bytes memory reason) private {
        assertRevertsAt(address(registry), who, 0, data, reason);
    }

    function _notOwner(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_NotOwner.selector, provider, caller);
    }

    function _notOffered(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_NotOffered.selector, provider, caller);
    }
}
