// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../contracts/interfaces/IJob.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

/// @notice See timeouts.tree.
contract TimeoutsTest is Steps {
    function test_WhenPosted_TheRequesterCanCancel() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Posted);
        vm.prank(requester);
        escrow.cancel(terms);
        assertEq(owedTo(requester, terms), PRICE + 2 * FEE, "everything back");
    }

    function test_WhenTheProviderDoesNotAccept_AnyoneCanCancelAfterTheDeadline() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        assertReverts(validator(0), abi.encodeCall(escrow.cancel, (terms)), tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        assertReverts(provider, abi.encodeCall(escrow.accept, (terms)), tooLate(terms, deadline));

        vm.prank(validator(0));
        escrow.cancel(terms);
        assertEq(owedTo(requester, terms), PRICE + FEE, "everything back");
        assertTrue(stateOf(terms) == State.Cancelled, "cancelled");
    }

    function test_WhenTheProviderReleases_TheRequesterIsRefundedWithoutASlash() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        vm.prank(provider);
        escrow.release(terms, "the image is unknown", "sealed log");

        assertEq(owedTo(requester, terms), PRICE + FEE, "everything back");
        assertEq(registry.offerOf(provider).stake, STAKE, "not slashed");
        assertEq(registry.offerOf(provider).lockedStake, 0, "not locked");
        assertEq(rating.ratingOf(provider, Role.Provider).released, 1, "outcome is counted");
        assertEq(rating.ratingOf(requester, Role.Requester).released, 1, "for the requester too");
    }

    function test_RevertWhen_ExpiredBeforeTheDeadline() public {
        IJob.Terms memory running = termsOf(1);
        reach(running, State.Accepted);
        _assertTooEarlyToExpire(running);
        IJob.Terms memory unclaimed = termsOf(1);
        reach(unclaimed, State.Validated);
        _assertTooEarlyToExpire(unclaimed);
        IJob.Terms memory optimistic = termsOf(0);
        reach(optimistic, State.Submitted);
        _assertTooEarlyToExpire(optimistic);
    }

    function test_WhenTheRequesterDoesNotAppoint_TheProviderIsPaid() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Submitted);
        drawAlone(terms);
        decide(terms, honest());
        claim(terms);
        passDeadline(terms);
        settle(terms, provider);
        assertEq(owedTo(provider, terms), PRICE, "the provider is paid");
        assertEq(owedTo(requester, terms), 0, "the validators are paid");
    }

    function test_RevertWhen_TheRequesterAppointsTooLate() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline + 1);
        bytes memory data = abi.encodeCall(escrow.appoint, (terms, appointmentsOf(1)));
        assertReverts(requester, data, tooLate(terms, deadline));
    }

    function test_WhenAValidatorDoesNotCommit_ItIsReplacedOnceByDraw() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        address[] memory missing = seatedAs(terms, SeatStatus.Appointed);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        bytes memory data = abi.encodeCall(escrow.dismiss, (terms, missing));
        assertReverts(requester, data, tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        bytes32 commitment = commitmentOf(terms, missing[0], honest());
        assertReverts(missing[0], abi.encodeCall(escrow.commit, (terms, commitment)), tooLate(terms, deadline));
        escrow.dismiss(terms, missing);
        assertEq(registry.offerOf(validator(0)).lockedStake, 0, "its stake is unlocked");
        draw(terms);
        address[] memory drawn = seatedAs(terms, SeatStatus.Appointed);
        assertEq(drawn.length, 1, "one replacement");
        assertTrue(drawn[0] != validator(0), "by another account");

        dismissAll(terms);
        assertTrue(stateOf(terms) == State.Inconclusive, "only once");
        passDeadline(terms);
        settle(terms, provider);
        assertEq(owedTo(requester, terms), PRICE + FEE, "refunded");
        assertEq(registry.offerOf(validator(0)).stake, STAKE, "not slashed");
        assertEq(rating.ratingOf(validator(0), Role.Validator).late, 1, "counted late");
        assertEq(rating.ratingOf(drawn[0], Role.Validator).late, 1, "counted late too");
    }

    function test_WhenItsReplacementDoesNotCommitEither_TheOthersDecide() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        for (uint256 i = 0; i < 2; ++i) {
            dismissAll(terms);
            if (i == 0) draw(terms);
        }
        reveal(terms, validator(0), honest());
        assertTrue(stateOf(terms) == State.Validated, "validated by the validator that committed");
        claim(terms);
        assertEq(owedTo(requester, terms), FEE, "the fee of the empty seat");
    }

    function test_WhenAValidatorAbstains_ItIsReplacedByDraw() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        abstain(terms, validator(0));
        draw(terms);
        commitAll(terms, honest());
        revealAll(terms, honest());
        claim(terms);

        assertEq(owedTo(validator(0), terms), 0, "earns nothing");
        assertEq(registry.offerOf(validator(0)).stake, STAKE, "costs nothing");
        assertEq(rating.ratingOf(validator(0), Role.Validator).abstained, 1, "outcome is counted");
        assertEq(owedTo(provider, terms), PRICE, "the provider is paid");
    }

    function test_RevertWhen_NoValidatorIsLate() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        passDeadline(terms);
        bytes memory data = abi.encodeCall(escrow.dismiss, (terms, panelOf(terms)));
        bytes4 selector = IJob.JobEscrow_NothingPending.selector;
        assertReverts(requester, data, abi.encodeWithSelector(selector, escrow.jobIdOf(terms)));
    }

    function _assertTooEarlyToExpire(IJob.Terms memory terms) private {
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        bytes memory data = abi.encodeCall(escrow.expire, (terms, panelOf(terms)));
        assertReverts(requester, data, tooEarly(terms, deadline));
    }
}
