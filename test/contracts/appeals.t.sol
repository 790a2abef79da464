// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

contract AppealsTest is Steps {
    function test_WhenAnAppealIsWon_ThoseWhoVotedAgainstPay() public {
        IJobEscrow.Terms memory terms = _rejected();
        appeal(terms);
        draw(terms);
        yes(seatOf(terms, validator(0)) == SeatStatus.Failed, "keeps its vote");
        decide(terms, honest());
        yes(stateOf(terms) == State.Validated, "validated");
        claim(terms);

        eq(owedTo(provider, terms), PRICE + FEE, "price and the fee lost");
        eq(owedTo(validator(0), terms), 0, "no fee for a wrong vote");
        eq(lostBy(validator(0)), VALIDATOR_STAKE, "and no stake");
        eq(registry.burnt(), VALIDATOR_STAKE, "which is nobody's");
        eq(rating.ratingOf(validator(0), Role.Validator).rejected, 1, "counted");
        eq(owedTo(requester, terms), 0, "the requester pays the fee it promised");
        eq(lostBy(provider), 0, "not slashed");
    }

    function test_WhenAnAppealIsLost_TheBondPaysThePanelAndTheStakeIsBurnt() public {
        IJobEscrow.Terms memory terms = _rejected();
        appeal(terms);
        draw(terms);
        decide(terms, wrong());
        settle(terms, validator(0));

        eq(owedTo(provider, terms), 0, "the bond is spent");
        eq(owedTo(validator(0), terms), FEE, "the first validator is paid");
        eq(owedTo(requester, terms), PRICE, "refund, and nothing of the stake: it had named the first");
        eq(registry.burnt(), PROVIDER_STAKE, "which is nobody's");
        eq(lostBy(provider), PROVIDER_STAKE, "slashed once");
    }

    function test_WhenAnAppealOfADrawnPanelIsLost_TheRequesterGetsATenth() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        drawAlone(terms);
        decide(terms, wrong());
        appeal(terms);
        draw(terms);
        decide(terms, wrong());
        settle(terms, validator(0));
        eq(owedTo(requester, terms), PRICE + PROVIDER_STAKE / 10, "refund and a tenth");
    }

    function test_WhenAnAppealsPanelIsSilent_NobodyIsSlashedForIt() public {
        IJobEscrow.Terms memory terms = _rejected();
        appeal(terms);
        draw(terms);
        dismissAll(terms);
        draw(terms);
        dismissAll(terms);
        settle(terms, provider);

        eq(owedTo(provider, terms), 3 * FEE, "the bond comes back");
        eq(owedTo(requester, terms), PRICE, "refund");
        eq(owedTo(validator(0), terms), FEE, "the first validator is paid");
        eq(lostBy(provider), 0, "not slashed");
        eq(lostBy(validator(0)), 0, "nor is the first validator: nobody contradicted it");
    }

    function test_WhenNamedValidatorsSplit_TheProviderAppeals() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        commit(terms, validator(1), wrong());
        reveal(terms, validator(0), honest());
        reveal(terms, validator(1), wrong());
        yes(stateOf(terms) == State.Inconclusive, "one against one");
        uint256 deadline = jobOf(terms).deadline;
        eq(deadline, vm.getBlockTimestamp() + WINDOW, "a window to appeal");
        _refuseToSettle(terms, deadline);

        appeal(terms);
        draw(terms);
        decide(terms, honest());
        claim(terms);
        eq(owedTo(provider, terms), PRICE + FEE, "price and the dissenter's fee");
        eq(owedTo(validator(0), terms), FEE, "who was right is paid");
        eq(lostBy(validator(1)), VALIDATOR_STAKE, "who was not pays");
    }

    function test_WhenNamedValidatorsAllHide_TheProviderAppeals() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Inconclusive);
        appeal(terms);
        draw(terms);
        decide(terms, honest());
        claim(terms);
        eq(owedTo(provider, terms), PRICE, "paid");
        eq(owedTo(requester, terms), 2 * FEE, "the fees of those who hid");
        eq(lostBy(validator(0)), VALIDATOR_STAKE, "slashed once, for hiding");
        eq(rating.ratingOf(validator(0), Role.Validator).hid, 1, "counted as hid");
    }

    function test_WhenAllAbstainAndThePoolIsEmpty_AnAppealFindsNobodyEither() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Submitted);
        _emptyPool();
        appoint(terms);
        vm.warp(vm.getBlockTimestamp() + 1);
        abstainAll(terms);
        draw(terms);
        yes(stateOf(terms) == State.Inconclusive, "nobody to refill");
        appeal(terms);
        draw(terms);
        yes(stateOf(terms) == State.Inconclusive, "nobody to judge");
        refuses(provider, 3 * FEE, abi.encodeCall(IJobEscrow.appeal, (terms)), noAppeal(terms));
        settle(terms, requester);
        eq(owedTo(requester, terms), PRICE + 2 * FEE, "everything back");
        eq(owedTo(provider, terms), 3 * FEE, "as does the bond");
        eq(registry.offerOf(provider).lockedStake, 0, "and the stake");
    }

    function test_WhenAnAppealOfALackingVerdictIsLost_TheProviderIsSlashed() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Inconclusive);
        appeal(terms);
        draw(terms);
        decide(terms, wrong());
        settle(terms, requester);
        eq(owedTo(requester, terms), PRICE + FEE, "refunded");
        eq(registry.burnt(), PROVIDER_STAKE + VALIDATOR_STAKE, "all is burnt");
    }

    function test_WhenTheProviderDoesNotAppeal_AnyoneSettlesAfterwardsOnly() public {
        IJobEscrow.Terms memory terms = _rejected();
        uint256 deadline = jobOf(terms).deadline;
        _refuseToSettle(terms, deadline);
        vm.warp(deadline + 1);
        refuses(provider, 3 * FEE, abi.encodeCall(IJobEscrow.appeal, (terms)), tooLate(terms, deadline));
        settle(terms, requester);
        yes(stateOf(terms) == State.Refunded, "refunded");
        eq(registry.burnt(), PROVIDER_STAKE, "all of the stake is burnt");
        eq(owedTo(requester, terms), PRICE, "none of it the requester's, which named the validator");
    }

    function test_WhenTheProviderDoesNotAppealALackingVerdict_NobodyButTheHiddenPays() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Inconclusive);
        _refuseToSettle(terms, jobOf(terms).deadline);
        passDeadline(terms);
        settle(terms, validator(4));
        eq(owedTo(requester, terms), PRICE + FEE, "refunded");
        eq(lostBy(provider), 0, "the provider keeps its stake");
        eq(rating.ratingOf(provider, Role.Provider).rejected, 0, "and is not counted");
    }

    function test_RevertWhen_AValidatorThatHidRevealsInTheAppeal() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Inconclusive);
        appeal(terms);
        draw(terms);
        commitAll(terms, honest());
        bytes32 secrets = secretsOf(terms);
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory reason = wrongSeat(terms, validator(i));
            bytes memory data = abi.encodeCall(IJobEscrow.reveal, (terms, honest(), honest(), secrets));
            refuses(validator(i), data, reason);
            refuses(validator(i), abi.encodeCall(IJobEscrow.revealAlone, (terms, honest())), reason);
        }
        eq(jobOf(terms).revealed, 0, "its round is over");
    }

    function test_RevertWhen_AppealedTwice() public {
        IJobEscrow.Terms memory terms = _rejected();
        bytes memory data = abi.encodeCall(IJobEscrow.appeal, (terms));
        appeal(terms);
        refuses(provider, 3 * FEE, data, noAppeal(terms));
        draw(terms);
        decide(terms, wrong());
        refuses(provider, 3 * FEE, data, noAppeal(terms));

        IJobEscrow.Terms memory silent = termsOf(1);
        reach(silent, State.Inconclusive);
        appeal(silent);
        draw(silent);
        commitAll(silent, honest());
        passDeadline(silent);
        conclude(silent);
        yes(stateOf(silent) == State.Inconclusive, "again");
        refuses(provider, 3 * FEE, abi.encodeCall(IJobEscrow.appeal, (silent)), noAppeal(silent));
    }

    function test_RevertWhen_AppealedWithoutAVerdictOfAChallenge() public {
        IJobEscrow.Terms memory terms = termsOf(0);
        reach(terms, State.Claimed);
        challenge(terms);
        drawAsProvider(terms);
        abstainAll(terms);
        draw(terms);
        dismissAll(terms);
        yes(stateOf(terms) == State.Inconclusive, "without a verdict");
        refuses(provider, 3 * FEE, abi.encodeCall(IJobEscrow.appeal, (terms)), noAppeal(terms));
    }

    function test_RevertWhen_AProviderThatHidAppeals() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        revealAlone(terms, validator(0), honest());
        passGrace(terms);
        conclude(terms);
        refuses(provider, 3 * FEE, abi.encodeCall(IJobEscrow.appeal, (terms)), noAppeal(terms));
    }

    function test_RevertWhen_AnAppealIsNotTheProvidersOrNotPaid() public {
        IJobEscrow.Terms memory terms = _rejected();
        bytes memory data = abi.encodeCall(IJobEscrow.appeal, (terms));
        refuses(requester, 3 * FEE, data, notParty(terms, requester));
        refuses(provider, FEE, data, wrongPayment(FEE, 3 * FEE));
        IJobEscrow.Terms memory passed = termsOf(1);
        reach(passed, State.Validated);
        refuses(provider, 3 * FEE, abi.encodeCall(IJobEscrow.appeal, (passed)), noAppeal(passed));
    }

    function test_TheFirstPanelIsNotSeatedAgain() public {
        IJobEscrow.Terms memory terms = termsOf(3);
        reach(terms, State.Rejected);
        appeal(terms);
        draw(terms);
        for (uint256 i = 0; i < 3; ++i) {
            yes(seatOf(terms, validator(i)) == SeatStatus.Failed, "not drawn again");
        }
        eq(jobOf(terms).occupied, 6, "three others");
    }

    function _rejected() private returns (IJobEscrow.Terms memory terms) {
        terms = termsOf(1);
        reach(terms, State.Rejected);
    }

    function _refuseToSettle(IJobEscrow.Terms memory terms, uint256 deadline) private {
        vm.warp(deadline);
        bytes memory data = abi.encodeCall(IJobEscrow.settle, (terms, panelOf(terms)));
        refuses(requester, data, tooEarly(terms, deadline));
    }

    /// @dev Everybody keeps the stake for one job, and is in the pool no more.
    function _emptyPool() private {
        for (uint256 i = 0; i < crowd.length; ++i) {
            if (crowd[i] == provider) continue;
            vm.prank(crowd[i]);
            registry.requestWithdrawal(STAKE - uint96(POOL_STAKE) + 1);
        }
        eq(registry.poolSize(), 1, "the provider alone, which cannot judge itself");
    }
}
