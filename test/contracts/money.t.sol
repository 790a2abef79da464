// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IJobEscrow, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {Mode, Rule} from "../../contracts/libraries/Rule.sol";
import {Schedule} from "../../contracts/libraries/Schedule.sol";
import {Steps} from "./support/Steps.sol";
import {PlainToken, ReentrantPayee, ReentrantToken, TaxedToken} from "./support/Tokens.sol";

contract MoneyTest is Steps {
    function test_RevertWhen_ThePaymentIsNotExact() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        vm.startPrank(requester);
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.JobEscrow_WrongPayment.selector, PRICE, PRICE + FEE)
        );
        escrow.post{value: PRICE}(terms, "");
        vm.expectPartialRevert(IJobEscrow.JobEscrow_WrongPayment.selector);
        escrow.post{value: PRICE + FEE + 1}(terms, "");
        vm.stopPrank();
    }

    function test_WhenATokenIsPaid_EverythingIsInTheToken() public {
        PlainToken token = _fund(new PlainToken());
        IJobEscrow.Terms memory terms = termsOf(1, Mode.Evaluate, address(token));
        vm.prank(requester);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_WrongPayment.selector);
        escrow.post{value: 1}(terms, "");

        reach(terms, State.Settled);
        eq(token.balanceOf(address(escrow)), PRICE + FEE, "held in the token");
        uint256 before = token.balanceOf(provider);
        vm.prank(provider);
        escrow.withdraw(address(token));
        eq(token.balanceOf(provider) - before, PRICE, "paid in the token");
        eq(address(escrow).balance, 0, "no coins");
    }

    function test_WhenAnAppealInATokenIsLost_TheBondPaysThePanel() public {
        PlainToken token = _fund(new PlainToken());
        IJobEscrow.Terms memory terms = termsOf(1, Mode.Evaluate, address(token));
        reach(terms, State.Rejected);
        appeal(terms);
        draw(terms);
        commitAll(terms, wrong());
        revealAll(terms, wrong());
        settle(terms, requester);

        eq(owedTo(requester, terms), PRICE, "refund in the token");
        eq(escrow.owed(requester, address(0)), PROVIDER_STAKE / 2, "stake in the coin");
        eq(owedTo(provider, terms), 0, "the bond is spent");
        eq(token.balanceOf(address(escrow)), PRICE + FEE + 3 * FEE, "all accounted for");
    }

    function test_RevertWhen_TheTokenTakesAFee() public {
        TaxedToken token = new TaxedToken();
        token.mint(requester, 10 ether);
        vm.prank(requester);
        token.approve(address(escrow), type(uint256).max);
        IJobEscrow.Terms memory terms = termsOf(0, Mode.Evaluate, address(token));

        vm.prank(requester);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TokenTookFee.selector);
        escrow.post(terms, "");
    }

    function test_RevertWhen_TheTokenPostsAgainInTheTransfer() public {
        ReentrantToken token = new ReentrantToken();
        token.mint(requester, 10 ether);
        token.mint(address(token), 10 ether);
        vm.prank(requester);
        token.approve(address(escrow), type(uint256).max);
        vm.prank(address(token));
        token.approve(address(escrow), type(uint256).max);
        IJobEscrow.Terms memory terms = termsOf(0, Mode.Evaluate, address(token));
        IJobEscrow.Terms memory inner = termsOf(0, Mode.Evaluate, address(token));
        inner.requester = address(token);
        token.callBack(escrow, abi.encodeCall(IJobEscrow.post, (inner, "")));

        vm.prank(requester);
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        escrow.post(terms, "");
    }

    function test_WhenAPayeeCallsBack_ItIsPaidOnce() public {
        ReentrantPayee payee = new ReentrantPayee(escrow);
        vm.deal(address(payee), 10 ether);
        IJobEscrow.Terms memory terms = termsOf(0);
        terms.requester = address(payee);
        post(termsOf(0));
        payee.act(PRICE, abi.encodeCall(IJobEscrow.post, (terms, "")));
        payee.act(0, abi.encodeCall(IJobEscrow.cancel, (terms)));
        payee.act(0, abi.encodeCall(IJobEscrow.withdraw, (address(0))));

        eq(address(payee).balance, 10 ether, "paid once");
        eq(address(escrow).balance, PRICE, "the other job's money stays");
        yes(bytes4(payee.reason()) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector, "refused");
    }

    function test_RevertWhen_NothingIsOwed() public {
        vm.prank(requester);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_NothingOwed.selector);
        escrow.withdraw(address(0));
    }

    function test_RevertWhen_CoinsComeFromAnybodyElseThanTheRegistry() public {
        vm.prank(requester);
        (bool sent,) = address(escrow).call{value: 1}("");
        yes(!sent, "refused");
    }

    function test_RevertWhen_PostedTwice() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        post(terms);
        vm.prank(requester);
        escrow.cancel(terms);
        vm.prank(requester);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_AlreadyPosted.selector);
        escrow.post{value: PRICE + FEE}(terms, "");
    }

    function test_RevertWhen_PostedForSomebodyElse() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_NotParty.selector);
        escrow.post{value: PRICE + FEE}(terms, "");
    }

    function test_RevertWhen_TermsAreInvalid() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        terms.provider = requester;
        _refuse(terms, IJobEscrow.JobEscrow_InvalidTerms.selector);
        terms = termsOf(1);
        terms.provider = address(0);
        _refuse(terms, IJobEscrow.JobEscrow_InvalidTerms.selector);
        _refuse(termsOf(8), IJobEscrow.JobEscrow_InvalidTerms.selector);
        terms = termsOf(1);
        terms.rule = Rule.wrap(Rule.unwrap(terms.rule) | 3);
        _refuse(terms, IJobEscrow.JobEscrow_InvalidTerms.selector);
        terms = termsOf(1);
        terms.rule = Rule.wrap(Rule.unwrap(terms.rule) | (1 << 144));
        _refuse(terms, IJobEscrow.JobEscrow_InvalidTerms.selector);
        terms = termsOf(1);
        terms.schedule = Schedule.wrap(Schedule.unwrap(terms.schedule) | (1 << 208));
        _refuse(terms, IJobEscrow.JobEscrow_InvalidTerms.selector);
        terms = termsOf(1);
        terms.schedule = scheduleOf(terms.schedule.acceptBy(), 0);
        _refuse(terms, IJobEscrow.JobEscrow_InvalidTerms.selector);
        terms = termsOf(1);
        terms.schedule = scheduleOf(uint40(vm.getBlockTimestamp() - 1), WINDOW);
        _refuse(terms, IJobEscrow.JobEscrow_TooLate.selector);
    }

    function test_RevertWhen_BlobsAreTooLong() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        vm.prank(requester);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooLong.selector);
        escrow.post{value: PRICE + FEE}(terms, new bytes(1025));
        reach(terms, State.Accepted);
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooLong.selector);
        escrow.release(terms, new bytes(257));
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooLong.selector);
        escrow.submit(terms, 0, 0, 0, new bytes(1025));
    }

    function _refuse(IJobEscrow.Terms memory terms, bytes4 selector) private {
        vm.deal(requester, 1000 ether);
        uint256 sum = terms.price + uint256(terms.rule.validators()) * terms.validatorFee;
        vm.prank(requester);
        vm.expectPartialRevert(selector);
        escrow.post{value: sum}(terms, "");
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
