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
        vm.prank(validator(0));
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooEarly.selector);
        escrow.cancel(terms);

        passDeadline(terms);
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooLate.selector);
        escrow.accept(terms);

        vm.prank(validator(0));
        escrow.cancel(terms);
        eq(owedTo(requester, terms), PRICE + FEE, "everything back");
        yes(stateOf(terms) == State.Cancelled, "cancelled");
    }

    function test_WhenADrawIsLeftForItsWholeTime_TheSeedStillDecides() public {
        IJobEscrow.Terms memory terms = _undrawn();
        vm.roll(uint256(escrow.job(escrow.jobIdOf(terms)).seedBlock) + 256);
        escrow.draw(terms);
        eq(seatedAs(terms, SeatStatus.Appointed).length, 2, "drawn");
    }

    function test_WhenADrawIsLeftFor256Blocks_ItIsScheduledAnew() public {
        IJobEscrow.Terms memory terms = _undrawn();
        bytes32 id = escrow.jobIdOf(terms);
        vm.roll(uint256(escrow.job(id).seedBlock) + 257);
        escrow.draw(terms);

        IJobEscrow.Job memory job = escrow.job(id);
        eq(job.toDraw, 2, "as many seats");
        eq(job.seats + job.occupied, 0, "nobody by a seed that is forgotten");
        eq(job.seedBlock, vm.getBlockNumber() + escrow.DRAW_DELAY(), "by a block that nobody knows yet");
        vm.expectPartialRevert(IJobEscrow.JobEscrow_SeedPending.selector);
        escrow.draw(terms);
        draw(terms);
        eq(seatedAs(terms, SeatStatus.Appointed).length, 2, "drawn in the end");
        eq(escrow.job(id).toDraw, 0, "once");
    }

    function _undrawn() private returns (IJobEscrow.Terms memory terms) {
        terms = termsOf(2);
        reach(terms, State.Submitted);
        passDeadline(terms);
        escrow.draw(terms);
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

    function test_WhenNothingIsSubmitted_TheStakeGoesToTheRequester() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        passDeadline(terms);
        expire(terms, requester);

        eq(owedTo(requester, terms), PRICE + FEE + PROVIDER_STAKE, "refund and stake");
        eq(registry.offerOf(provider).stake, STAKE - PROVIDER_STAKE, "slashed");
        eq(rating.ratingOf(provider, Role.Provider).late, 1, "counted late");
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

    function test_WhenTheRequesterDoesNotAppoint_AnyoneDraws() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Submitted);
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooEarly.selector);
        escrow.draw(terms);

        passDeadline(terms);
        vm.prank(provider);
        escrow.draw(terms);
        yes(stateOf(terms) == State.Validating, "validating");
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_SeedPending.selector);
        escrow.draw(terms);

        draw(terms);
        eq(seatedAs(terms, SeatStatus.Appointed).length, 2, "seats drawn");
        commitAll(terms, honest());
        revealAll(terms, honest());
        claim(terms);
        eq(owedTo(provider, terms), PRICE, "the provider is paid");
    }

    function test_WhenAValidatorIsMissing_ItIsReplacedOnceByDraw() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        address[] memory missing = seatedAs(terms, SeatStatus.Appointed);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooEarly.selector);
        escrow.dismiss(terms, missing);

        passDeadline(terms);
        escrow.dismiss(terms, missing);
        eq(registry.offerOf(validator(0)).lockedStake, 0, "its stake is free");
        draw(terms);
        address[] memory drawn = seatedAs(terms, SeatStatus.Appointed);
        eq(drawn.length, 1, "one replacement");
        yes(drawn[0] != validator(0), "by another");

        passDeadline(terms);
        escrow.dismiss(terms, drawn);
        yes(stateOf(terms) == State.Inconclusive, "only once");
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
            passDeadline(terms);
            escrow.dismiss(terms, seatedAs(terms, SeatStatus.Appointed));
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

    function test_WhenAValidatorCommitsAndHides_BothSidesShareItsStake() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Inconclusive);
        settle(terms, validator(5));

        eq(owedTo(requester, terms), PRICE + FEE + VALIDATOR_STAKE / 2, "refund and half of its stake");
        eq(owedTo(provider, terms), VALIDATOR_STAKE / 2, "the other half");
        eq(registry.offerOf(provider).stake, STAKE, "the provider is not slashed for it");
        eq(rating.ratingOf(validator(0), Role.Validator).hid, 1, "counted as hid");
    }

    function test_WhenTheProviderDoesNotClaim_TheStakeGoesToTheRequester() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validated);
        passDeadline(terms);
        expire(terms, requester);

        eq(owedTo(requester, terms), PRICE + PROVIDER_STAKE, "refund and stake");
        eq(owedTo(validator(0), terms), FEE, "the validator is paid");
        eq(rating.ratingOf(provider, Role.Provider).late, 1, "counted late");
    }

    function _refuseToExpire(IJobEscrow.Terms memory terms) private {
        address[] memory panel = panelOf(terms);
        vm.warp(escrow.job(escrow.jobIdOf(terms)).deadline);
        vm.prank(requester);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooEarly.selector);
        escrow.expire(terms, panel);
    }
}
