// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

contract TimeoutsTest is Steps {
    function test_WhenPosted_TheRequesterCanCancel() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Posted);
        vm.prank(requester);
        escrow.cancel(terms);
        eq(owedTo(requester, terms), PRICE + 2 * FEE, "everything back");
    }

    function test_WhenNobodyAccepts_AnyoneCanCancelAfterwardsOnly() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        refuses(validator(0), abi.encodeCall(IJobEscrow.cancel, (terms)), tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        refuses(provider, abi.encodeCall(IJobEscrow.accept, (terms)), tooLate(terms, deadline));

        vm.prank(validator(0));
        escrow.cancel(terms);
        eq(owedTo(requester, terms), PRICE + FEE, "everything back");
        yes(stateOf(terms) == State.Cancelled, "cancelled");
    }

    function test_WhenReleased_RefundsWithoutSlashing() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        vm.prank(provider);
        escrow.release(terms, "the image is unknown");

        eq(owedTo(requester, terms), PRICE + FEE, "everything back");
        eq(registry.offerOf(provider).stake, STAKE, "not slashed");
        eq(registry.offerOf(provider).lockedStake, 0, "not locked");
        eq(rating.ratingOf(provider, Role.Provider).released, 1, "counted");
    }

    function test_RevertWhen_ExpiredBeforeTheDeadline() public {
        IJobEscrow.Terms memory running = termsOf(1);
        reach(running, State.Accepted);
        _refuseToExpire(running);
        IJobEscrow.Terms memory unclaimed = termsOf(1);
        reach(unclaimed, State.Validated);
        _refuseToExpire(unclaimed);
        IJobEscrow.Terms memory optimistic = termsOf(0);
        reach(optimistic, State.Submitted);
        _refuseToExpire(optimistic);
    }

    function test_WhenTheRequesterDoesNotAppoint_TheProviderIsPaid() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Submitted);
        drawAlone(terms);
        decide(terms, honest());
        claim(terms);
        passDeadline(terms);
        settle(terms, provider);
        eq(owedTo(provider, terms), PRICE, "the provider is paid");
        eq(owedTo(requester, terms), 0, "as are the validators");
    }

    function test_RevertWhen_TheRequesterAppointsTooLate() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline + 1);
        bytes memory data = abi.encodeCall(IJobEscrow.appoint, (terms, appointmentsOf(1)));
        refuses(requester, data, tooLate(terms, deadline));
    }

    function test_WhenAValidatorIsMissing_ItIsReplacedOnceByDraw() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        address[] memory missing = seatedAs(terms, SeatStatus.Appointed);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        bytes memory data = abi.encodeCall(IJobEscrow.dismiss, (terms, missing));
        refuses(requester, data, tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        bytes32 commitment = commitmentOf(terms, missing[0], honest());
        refuses(missing[0], abi.encodeCall(IJobEscrow.commit, (terms, commitment)), tooLate(terms, deadline));
        escrow.dismiss(terms, missing);
        eq(registry.offerOf(validator(0)).lockedStake, 0, "its stake is free");
        draw(terms);
        address[] memory drawn = seatedAs(terms, SeatStatus.Appointed);
        eq(drawn.length, 1, "one replacement");
        yes(drawn[0] != validator(0), "by another");

        dismissAll(terms);
        yes(stateOf(terms) == State.Inconclusive, "only once");
        passDeadline(terms);
        settle(terms, provider);
        eq(owedTo(requester, terms), PRICE + FEE, "refunded");
        eq(registry.offerOf(validator(0)).stake, STAKE, "not slashed");
        eq(rating.ratingOf(validator(0), Role.Validator).late, 1, "counted late");
        eq(rating.ratingOf(drawn[0], Role.Validator).late, 1, "counted late too");
    }

    function test_WhenAValidatorIsMissingTwice_TheOthersDecide() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        for (uint256 i = 0; i < 2; ++i) {
            dismissAll(terms);
            if (i == 0) draw(terms);
        }
        reveal(terms, validator(0), honest());
        yes(stateOf(terms) == State.Validated, "validated by the one who worked");
        claim(terms);
        eq(owedTo(requester, terms), FEE, "the fee of the seat that stayed empty");
    }

    function test_WhenAValidatorAbstains_ItIsReplacedByDraw() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        abstain(terms, validator(0));
        draw(terms);
        commitAll(terms, honest());
        revealAll(terms, honest());
        claim(terms);

        eq(owedTo(validator(0), terms), 0, "earns nothing");
        eq(registry.offerOf(validator(0)).stake, STAKE, "costs nothing");
        eq(rating.ratingOf(validator(0), Role.Validator).abstained, 1, "counted");
        eq(owedTo(provider, terms), PRICE, "the provider is paid");
    }

    function test_RevertWhen_NobodyIsMissing() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        passDeadline(terms);
        bytes memory data = abi.encodeCall(IJobEscrow.dismiss, (terms, panelOf(terms)));
        bytes4 selector = IJobEscrow.JobEscrow_NothingPending.selector;
        refuses(requester, data, abi.encodeWithSelector(selector, escrow.jobIdOf(terms)));
    }

    function _refuseToExpire(IJobEscrow.Terms memory terms) private {
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        bytes memory data = abi.encodeCall(IJobEscrow.expire, (terms, panelOf(terms)));
        refuses(requester, data, tooEarly(terms, deadline));
    }
}
