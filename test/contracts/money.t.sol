// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IEscrowMoney} from "../../contracts/interfaces/IEscrowMoney.sol";
import {IJob, State} from "../../contracts/interfaces/IJob.sol";
import {Mode} from "../../contracts/libraries/Rule.sol";
import {Steps} from "./support/Steps.sol";
import {PlainToken, ReentrantPayee, ReentrantToken, RefusingPayee, TaxedToken} from "./support/Tokens.sol";

/// @notice See money.tree.
contract MoneyTest is Steps {
    function test_RevertWhen_ThePaymentIsNotExact() public {
        IJob.Terms memory terms = termsOf(1);
        bytes memory data = _postData(terms);
        assertReverts(requester, PRICE, data, wrongPayment(PRICE, PRICE + FEE));
        assertReverts(requester, PRICE + FEE + 1, data, wrongPayment(PRICE + FEE + 1, PRICE + FEE));
    }

    function test_WhenATokenIsPaid_EverythingIsInTheToken() public {
        PlainToken token = _fund(new PlainToken());
        IJob.Terms memory terms = termsOf(1, Mode.Evaluate, address(token));
        assertReverts(requester, 1, _postData(terms), wrongPayment(1, 0));

        reach(terms, State.Settled);
        assertEq(token.balanceOf(address(escrow)), PRICE + FEE, "held in the token");
        uint256 before = token.balanceOf(provider);
        vm.prank(provider);
        escrow.withdraw(provider, address(token));
        assertEq(token.balanceOf(provider) - before, PRICE, "paid in the token");
        assertEq(address(escrow).balance, 0, "no coins");
    }

    function test_WhenAnAppealInATokenIsLost_TheBondPaysThePanel() public {
        PlainToken token = _fund(new PlainToken());
        IJob.Terms memory terms = termsOf(1, Mode.Evaluate, address(token));
        reach(terms, State.Rejected);
        appeal(terms);
        draw(terms);
        commitAll(terms, wrong());
        revealAll(terms, wrong());
        settle(terms, requester);

        assertEq(owedTo(requester, terms), PRICE, "refund in the token");
        assertEq(escrow.owed(requester, address(0)), 0, "nothing of the stake");
        assertEq(owedTo(provider, terms), 0, "the bond is spent");
        assertEq(token.balanceOf(address(escrow)), PRICE + FEE + 3 * FEE, "all accounted for");
    }

    function test_WhenAChallengeInATokenIsWon_TheTenthIsInTheCoin() public {
        PlainToken token = _fund(new PlainToken());
        IJob.Terms memory terms = termsOf(0, Mode.Evaluate, address(token));
        reach(terms, State.Claimed);
        challenge(terms);
        drawAsProvider(terms);
        decide(terms, wrong());
        passDeadline(terms);
        settle(terms, requester);

        assertEq(owedTo(requester, terms), PRICE + PRICE / 2, "refund and deposit in the token");
        assertEq(escrow.owed(requester, address(0)), PROVIDER_STAKE / 10, "a tenth of the stake in the coin");
        assertEq(token.balanceOf(address(escrow)), PRICE + PRICE / 2 + 3 * FEE, "all accounted for");
        assertEq(address(escrow).balance, PROVIDER_STAKE / 10, "all coins accounted for");
    }

    function test_RevertWhen_TheTokenTakesAFee() public {
        TaxedToken token = new TaxedToken();
        token.mint(requester, 10 ether);
        vm.prank(requester);
        token.approve(address(escrow), type(uint256).max);
        IJob.Terms memory terms = termsOf(0, Mode.Evaluate, address(token));

        bytes4 selector = IEscrowMoney.Escrow_TokenTookFee.selector;
        bytes memory reason = abi.encodeWithSelector(selector, address(token), PRICE - PRICE / 100, PRICE);
        assertReverts(requester, _postData(terms), reason);
    }

    function test_RevertWhen_TheTokenPostsAgainInTheTransfer() public {
        ReentrantToken token = new ReentrantToken();
        token.mint(requester, 10 ether);
        token.mint(address(token), 10 ether);
        vm.prank(requester);
        token.approve(address(escrow), type(uint256).max);
        vm.prank(address(token));
        token.approve(address(escrow), type(uint256).max);
        IJob.Terms memory terms = termsOf(0, Mode.Evaluate, address(token));
        IJob.Terms memory inner = termsOf(0, Mode.Evaluate, address(token));
        inner.requester = address(token);
        token.callBack(escrow, _postData(inner));

        bytes4 selector = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        assertReverts(requester, _postData(terms), abi.encodeWithSelector(selector));
    }

    function test_WhenAPayeeCallsBack_ItIsPaidOnce() public {
        ReentrantPayee payee = new ReentrantPayee(escrow);
        vm.deal(address(payee), 10 ether);
        IJob.Terms memory terms = termsOf(0);
        terms.requester = address(payee);
        post(termsOf(0));
        payee.act(PRICE, _postData(terms));
        payee.act(0, abi.encodeCall(escrow.cancel, (terms)));
        payee.act(0, abi.encodeCall(escrow.withdraw, (address(payee), address(0))));

        assertEq(address(payee).balance, 10 ether, "paid once");
        assertEq(address(escrow).balance, PRICE, "the other job's money stays");
        bytes4 selector = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        bytes memory reason = abi.encodeWithSelector(selector);
        assertTrue(keccak256(payee.reason()) == keccak256(reason), "the second call reverted");
    }

    function test_RevertWhen_ThePayeeRefusesCoins() public {
        RefusingPayee payee = new RefusingPayee();
        vm.deal(address(payee), 10 ether);
        IJob.Terms memory terms = termsOf(0);
        terms.requester = address(payee);
        payee.act(address(escrow), PRICE, _postData(terms));
        payee.act(address(escrow), 0, abi.encodeCall(escrow.cancel, (terms)));
        bytes4 selector = IEscrowMoney.Escrow_TransferFailed.selector;
        bytes memory reason = abi.encodeWithSelector(selector, address(payee), PRICE);
        assertReverts(address(payee), abi.encodeCall(escrow.withdraw, (address(payee), address(0))), reason);
        assertEq(owedTo(address(payee), terms), PRICE, "still owed");
    }

    function test_RevertWhen_NothingIsOwed() public {
        bytes4 selector = IEscrowMoney.Escrow_NothingOwed.selector;
        bytes memory reason = abi.encodeWithSelector(selector, requester, address(0));
        assertReverts(requester, abi.encodeCall(escrow.withdraw, (requester, address(0))), reason);
    }

    function test_RevertWhen_AnotherAccountThanTheRegistrySendsCoins() public {
        bytes memory reason = abi.encodeWithSelector(IJob.JobEscrow_NotRegistry.selector, requester);
        assertReverts(requester, 1, "", reason);
    }

    function test_RevertWhen_BlobsAreTooLong() public {
        IJob.Terms memory terms = termsOf(1);
        bytes memory data = abi.encodeCall(escrow.post, (terms, bytes32(0), new bytes(1025)));
        assertReverts(requester, PRICE + FEE, data, tooLong(1025, 1024));
        reach(terms, State.Accepted);
        data = abi.encodeCall(escrow.release, (terms, new bytes(257), ""));
        assertReverts(provider, data, tooLong(257, 256));
        data = abi.encodeCall(escrow.submit, (terms, 0, 0, 0, 0, new bytes(1025)));
        assertReverts(provider, data, tooLong(1025, 1024));
    }

    function _postData(IJob.Terms memory terms) private view returns (bytes memory) {
        return abi.encodeCall(escrow.post, (terms, bytes32(0), ""));
    }

    function _fund(PlainToken token) private returns (PlainToken) {
        token.mint(requester, 100 ether);
        token.mint(provider, 100 ether);
        vm.prank(requester);
        token.approve(address(escrow), type(uint256).max);
        vm.prank(provider);
        token.approve(address(escrow), type(uint256).max);
        return token;
    }
}
