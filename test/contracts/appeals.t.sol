// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../contracts/interfaces/IJob.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

/// @notice See appeals.tree.
contract AppealsTest is Steps {
    function test_WhenAnAppealIsWon_TheValidatorsThatVotedAgainstPay() public {
        IJob.Terms memory terms = _rejected();
        appeal(terms);
        draw(terms);
        assertTrue(seatOf(terms, validator(0)) == SeatStatus.Failed, "its vote stands");
        decide(terms, honest());
        assertTrue(stateOf(terms) == State.Validated, "validated");
        claim(terms);

        assertEq(owedTo(provider, terms), PRICE + FEE, "price and the fee lost");
        assertEq(owedTo(validator(0), terms), 0, "no fee for a wrong vote");
        assertEq(lostBy(validator(0)), VALIDATOR_STAKE, "and its stake is slashed");
        assertEq(registry.burnt(), VALIDATOR_STAKE, "burnt");
        assertEq(rating.ratingOf(validator(0), Role.Validator).rejected, 1, "outcome is counted");
        assertEq(owedTo(requester, terms), 0, "the fee is paid all the same");
        assertEq(lostBy(provider), 0, "not slashed");
    }

    function test_WhenAnAppealIsLost_TheBondPaysThePanelAndTheStakeIsBurnt() public {
        IJob.Terms memory terms = _rejected();
        appeal(terms);
        draw(terms);
        decide(terms, wrong());
        settle(terms, validator(0));

        assertEq(owedTo(provider, terms), 0, "the bond is spent");
        assertEq(owedTo(validator(0), terms), FEE, "the first validator is paid");
        assertEq(owedTo(requester, terms), PRICE, "a refund without compensation: it had named the first");
        assertEq(registry.burnt(), PROVIDER_STAKE, "burnt");
        assertEq(lostBy(provider), PROVIDER_STAKE, "slashed once");
    }

    function test_WhenAnAppealOfADrawnPanelIsLost_TheRequesterGetsATenth() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        drawAlone(terms);
        decide(terms, wrong());
        appeal(terms);
        draw(terms);
        decide(terms, wrong());
        settle(terms, validator(0));
        assertEq(owedTo(requester, terms), PRICE + PROVIDER_STAKE / 10, "refund and a tenth");
    }

    function test_WhenTheAppealsPanelDoesNotCommit_NoStakeIsSlashed() public {
        IJob.Terms memory terms = _rejected();
        appeal(terms);
        draw(terms);
        dismissAll(terms);
        draw(terms);
        dismissAll(terms);
        settle(terms, provider);

        assertEq(owedTo(provider, terms), 3 * FEE, "the bond comes back");
        assertEq(owedTo(requester, terms), PRICE, "refund");
        assertEq(owedTo(validator(0), terms), FEE, "the first validator is paid");
        assertEq(lostBy(provider), 0, "not slashed");
        assertEq(lostBy(validator(0)), 0, "nor is the first validator, which no panel contradicted");
    }

    function test_WhenNamedValidatorsSplit_TheProviderAppeals() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        commit(terms, validator(1), wrong());
        reveal(terms, validator(0), honest());
        reveal(terms, validator(1), wrong());
        assertTrue(stateOf(terms) == State.Inconclusive, "one against one");
        uint256 deadline = jobOf(terms).deadline;
        assertEq(deadline, vm.getBlockTimestamp() + WINDOW, "a window to appeal");
        _assertTooEarlyToSettle(terms, deadline);

        appeal(terms);
        draw(terms);
        decide(terms, honest());
        claim(terms);
        assertEq(owedTo(provider, terms), PRICE + FEE, "price and the dissenter's fee");
        assertEq(owedTo(validator(0), terms), FEE, "the validator that was right is paid");
        assertEq(lostBy(validator(1)), VALIDATOR_STAKE, "the other is slashed");
    }

    function test_WhenNamedValidatorsAllHide_TheProviderAppeals() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Inconclusive);
        appeal(terms);
        draw(terms);
        decide(terms, honest());
        claim(terms);
        assertEq(owedTo(provider, terms), PRICE, "paid");
        assertEq(owedTo(requester, terms), 2 * FEE, "the fees of the validators that hid");
        assertEq(lostBy(validator(0)), VALIDATOR_STAKE, "slashed once, for hiding");
        assertEq(rating.ratingOf(validator(0), Role.Validator).hid, 1, "counted as hid");
    }

    function test_WhenAllAbstainAndThePoolIsEmpty_TheAppealIsInconclusiveToo() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Submitted);
        _emptyPool();
        appoint(terms);
        vm.warp(vm.getBlockTimestamp() + 1);
        abstainAll(terms);
        draw(terms);
        assertTrue(stateOf(terms) == State.Inconclusive, "no replacement in the pool");
        appeal(terms);
        draw(terms);
        assertTrue(stateOf(terms) == State.Inconclusive, "no panel in the pool");
        assertReverts(provider, 3 * FEE, abi.encodeCall(escrow.appeal, (terms)), noAppeal(terms));
        settle(terms, requester);
        assertEq(owedTo(requester, terms), PRICE + 2 * FEE, "everything back");
        assertEq(owedTo(provider, terms), 3 * FEE, "the bond comes back");
        assertEq(registry.offerOf(provider).lockedStake, 0, "the stake is unlocked");
    }

    function test_WhenAnAppealOfAnInconclusiveJobIsLost_TheProviderIsSlashed() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Inconclusive);
        appeal(terms);
        draw(terms);
        decide(terms, wrong());
        settle(terms, requester);
        assertEq(owedTo(requester, terms), PRICE + FEE, "refunded");
        assertEq(registry.burnt(), PROVIDER_STAKE + VALIDATOR_STAKE, "all is burnt");
    }

    function test_WhenTheProviderDoesNotAppeal_AnyoneSettlesAfterTheWindow() public {
        IJob.Terms memory terms = _rejected();
        uint256 deadline = jobOf(terms).deadline;
        _assertTooEarlyToSettle(terms, deadline);
        vm.warp(deadline + 1);
        assertReverts(provider, 3 * FEE, abi.encodeCall(escrow.appeal, (terms)), tooLate(terms, deadline));
        settle(terms, requester);
        assertTrue(stateOf(terms) == State.Refunded, "refunded");
        assertEq(registry.burnt(), PROVIDER_STAKE, "all of the stake is burnt");
        assertEq(owedTo(requester, terms), PRICE, "no compensation: it had named the validator");
    }

    function test_WhenTheProviderDoesNotAppealAnInconclusiveJob_OnlyValidatorsThatHidAreSlashed() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Inconclusive);
        _assertTooEarlyToSettle(terms, jobOf(terms).deadline);
        passDeadline(terms);
        settle(terms, validator(4));
        assertEq(owedTo(requester, terms), PRICE + FEE, "refunded");
        assertEq(lostBy(provider), 0, "the provider keeps its stake");
        assertEq(rating.ratingOf(provider, Role.Provider).rejected, 0, "and is not counted");
    }

    function test_RevertWhen_AValidatorThatHidRevealsInTheAppeal() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Inconclusive);
        appeal(terms);
        draw(terms);
        commitAll(terms, honest());
        bytes32 secrets = secretsOf(terms);
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory reason = wrongSeat(terms, validator(i));
            bytes memory data = abi.encodeCall(escrow.reveal, (terms, honest(), honest(), secrets));
            assertReverts(validator(i), data, reason);
            assertReverts(validator(i), abi.encodeCall(escrow.revealAlone, (terms, honest())), reason);
        }
        assertEq(jobOf(terms).revealed, 0, "its round is over");
    }

    function test_RevertWhen_AppealedTwice() public {
        IJob.Terms memory terms = _rejected();
        bytes memory data = abi.encodeCall(escrow.appeal, (terms));
        appeal(terms);
        assertReverts(provider, 3 * FEE, data, noAppeal(terms));
        draw(terms);
        decide(terms, wrong());
        assertReverts(provider, 3 * FEE, data, noAppeal(terms));

        IJob.Terms memory silent = termsOf(1);
        reach(silent, State.Inconclusive);
        appeal(silent);
        draw(silent);
        commitAll(silent, honest());
        passDeadline(silent);
        conclude(silent);
        assertTrue(stateOf(silent) == State.Inconclusive, "inconclusive again");
        assertReverts(provider, 3 * FEE, abi.encodeCall(escrow.appeal, (silent)), noAppeal(silent));
    }

    function test_RevertWhen_TheChallengeWasInconclusive() public {
        IJob.Terms memory terms = termsOf(0);
        reach(terms, State.Claimed);
        challenge(terms);
        drawAsProvider(terms);
        abstainAll(terms);
        draw(terms);
        dismissAll(terms);
        assertTrue(stateOf(terms) == State.Inconclusive, "without a verdict");
        assertReverts(provider, 3 * FEE, abi.encodeCall(escrow.appeal, (terms)), noAppeal(terms));
    }

    function test_RevertWhen_AProviderThatHidAppeals() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        revealAlone(terms, validator(0), honest());
        passGrace(terms);
        conclude(terms);
        assertReverts(provider, 3 * FEE, abi.encodeCall(escrow.appeal, (terms)), noAppeal(terms));
    }

    function test_RevertWhen_AnotherAccountAppealsOrThePaymentIsWrong() public {
        IJob.Terms memory terms = _rejected();
        bytes memory data = abi.encodeCall(escrow.appeal, (terms));
        assertReverts(requester, 3 * FEE, data, notParty(terms, requester));
        assertReverts(provider, FEE, data, wrongPayment(FEE, 3 * FEE));
        IJob.Terms memory passed = termsOf(1);
        reach(passed, State.Validated);
        assertReverts(provider, 3 * FEE, abi.encodeCall(escrow.appeal, (passed)), noAppeal(passed));
    }

    function test_TheFirstPanelIsNotDrawnAgain() public {
        IJob.Terms memory terms = termsOf(3);
        reach(terms, State.Rejected);
        appeal(terms);
        draw(terms);
        for (uint256 i = 0; i < 3; ++i) {
            assertTrue(seatOf(terms, validator(i)) == SeatStatus.Failed, "not drawn again");
        }
        assertEq(jobOf(terms).occupied, 6, "three others");
    }

    function _rejected() private returns (IJob.Terms memory terms) {
        terms = termsOf(1);
        reach(terms, State.Rejected);
    }

    function _assertTooEarlyToSettle(IJob.Terms memory terms, uint256 deadline) private {
        vm.warp(deadline);
        bytes memory data = abi.encodeCall(escrow.settle, (terms, panelOf(terms)));
        assertReverts(requester, data, tooEarly(terms, deadline));
    }

    /// @dev All validators withdraw so much that they leave the pool and keep enough for one job.
    function _emptyPool() private {
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] == provider) continue;
            vm.prank(accounts[i]);
            registry.requestWithdrawal(accounts[i], STAKE - uint96(POOL_STAKE) + 1);
        }
        assertEq(registry.poolSize(), 1, "only the provider, which cannot be drawn for its own job");
    }
}
