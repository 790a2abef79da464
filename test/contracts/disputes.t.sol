// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

contract DisputesTest is Steps {
    function test_WhenNobodyChallenges_AnyoneSettlesAfterTheWindow() public {
        IJobEscrow.Terms memory terms = termsOf(0);
        reach(terms, State.Claimed);
        address[] memory nobody = new address[](0);
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooEarly.selector);
        escrow.settle(terms, nobody);

        passDeadline(terms);
        vm.prank(requester);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooLate.selector);
        escrow.challenge(terms);
        settle(terms, validator(0));
        eq(owedTo(provider, terms), PRICE, "paid");
    }

    function test_WhenTheRequesterIsContent_ItSettlesAtOnce() public {
        IJobEscrow.Terms memory terms = termsOf(0);
        reach(terms, State.Claimed);
        settle(terms, requester);
        eq(owedTo(provider, terms), PRICE, "paid");
    }

    function test_WhenNothingIsClaimed_TheRequesterIsRefunded() public {
        IJobEscrow.Terms memory terms = termsOf(0);
        reach(terms, State.Submitted);
        passDeadline(terms);
        expire(terms, requester);
        eq(owedTo(requester, terms), PRICE + PROVIDER_STAKE, "refund and stake");
    }

    function test_WhenAChallengeIsWon_RequesterAndPanelAreMadeWhole() public {
        IJobEscrow.Terms memory terms = _challenged();
        draw(terms);
        eq(seatedAs(terms, SeatStatus.Appointed).length, 3, "three are drawn");
        commitAll(terms, wrong());
        revealAll(terms, wrong());
        passDeadline(terms);
        address[] memory panel = panelOf(terms);
        settle(terms, validator(0));

        eq(owedTo(requester, terms), PRICE + PROVIDER_STAKE / 2, "refund and half of the stake");
        for (uint256 i = 0; i < panel.length; ++i) {
            eq(owedTo(panel[i], terms), FEE, "the panel is paid");
        }
        eq(rating.ratingOf(provider, Role.Provider).rejected, 1, "counted");
    }

    function test_WhenAChallengeIsLost_TheProviderIsPaid() public {
        IJobEscrow.Terms memory terms = _challenged();
        draw(terms);
        commitAll(terms, honest());
        revealAll(terms, honest());
        yes(stateOf(terms) == State.Validated, "validated");
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_InvalidStatus.selector);
        escrow.claim(terms, BLINDED_KEY, 0, new address[](0));
        settle(terms, validator(11));

        eq(owedTo(provider, terms), PRICE, "paid");
        eq(owedTo(requester, terms), 0, "the bond is spent");
        eq(registry.offerOf(provider).stake, STAKE, "not slashed");
    }

    function test_WhenNoPanelCanBeHad_TheClaimStands() public {
        IJobEscrow.Terms memory terms = _challenged();
        draw(terms);
        address[] memory seated = seatedAs(terms, SeatStatus.Appointed);
        for (uint256 i = 0; i < seated.length; ++i) {
            abstain(terms, seated[i]);
        }
        draw(terms);
        passDeadline(terms);
        escrow.dismiss(terms, seatedAs(terms, SeatStatus.Appointed));
        yes(stateOf(terms) == State.Inconclusive, "nobody measured");
        settle(terms, provider);

        eq(owedTo(provider, terms), PRICE, "the claim stands");
        eq(owedTo(requester, terms), 3 * FEE, "the bond comes back");
    }

    function test_WhenAnAppealIsWon_ThoseWhoVotedAgainstPay() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Rejected);
        appeal(terms);
        draw(terms);
        yes(escrow.seatOf(escrow.jobIdOf(terms), validator(0)) == SeatStatus.Failed, "keeps its vote");
        commitAll(terms, honest());
        revealAll(terms, honest());
        yes(stateOf(terms) == State.Validated, "validated");
        claim(terms);

        eq(owedTo(provider, terms), PRICE + FEE + VALIDATOR_STAKE, "price, the fee lost and the stake lost");
        eq(owedTo(validator(0), terms), 0, "no fee for a wrong vote");
        eq(registry.offerOf(validator(0)).stake, STAKE - VALIDATOR_STAKE, "and no stake");
        eq(rating.ratingOf(validator(0), Role.Validator).rejected, 1, "counted");
        eq(owedTo(requester, terms), 0, "the requester pays the fee it promised");
    }

    function test_WhenAnAppealIsLost_TheBondPaysThePanel() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Rejected);
        appeal(terms);
        draw(terms);
        commitAll(terms, wrong());
        revealAll(terms, wrong());
        settle(terms, validator(0));

        eq(owedTo(provider, terms), 0, "the bond is spent");
        eq(owedTo(validator(0), terms), FEE, "the first validator is paid");
        eq(owedTo(requester, terms), PRICE + PROVIDER_STAKE / 2, "refund and half of the stake");
        eq(registry.burnt(), PROVIDER_STAKE / 2, "the other half is nobody's");
        eq(registry.offerOf(provider).stake, STAKE - PROVIDER_STAKE, "slashed once");
    }

    function test_WhenAnAppealsPanelIsSilent_NobodyIsSlashedForIt() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Rejected);
        appeal(terms);
        draw(terms);
        passDeadline(terms);
        escrow.dismiss(terms, seatedAs(terms, SeatStatus.Appointed));
        draw(terms);
        passDeadline(terms);
        escrow.dismiss(terms, seatedAs(terms, SeatStatus.Appointed));
        settle(terms, provider);

        eq(owedTo(provider, terms), 3 * FEE, "the bond comes back");
        eq(owedTo(requester, terms), PRICE, "refund");
        eq(owedTo(validator(0), terms), FEE, "the first validator is paid");
        eq(registry.offerOf(provider).stake, STAKE, "not slashed");
    }

    function test_WhenTheProviderDoesNotAppeal_AnyoneSettlesAfterwardsOnly() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Rejected);
        address[] memory panel = panelOf(terms);
        vm.prank(requester);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooEarly.selector);
        escrow.settle(terms, panel);
        passDeadline(terms);
        uint256 bond = escrow.bondOf(terms);
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooLate.selector);
        escrow.appeal{value: bond}(terms);
        settle(terms, requester);
        yes(stateOf(terms) == State.Refunded, "refunded");
    }

    function test_RevertWhen_AppealedTwice() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Rejected);
        appeal(terms);
        draw(terms);
        commitAll(terms, wrong());
        revealAll(terms, wrong());
        uint256 bond = escrow.bondOf(terms);
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_NoAppeal.selector);
        escrow.appeal{value: bond}(terms);
    }

    function test_RevertWhen_AProviderThatHidAppeals() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        revealAlone(terms, validator(0), honest());
        passDeadline(terms);
        escrow.conclude(terms);
        uint256 bond = escrow.bondOf(terms);
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_NoAppeal.selector);
        escrow.appeal{value: bond}(terms);
    }

    function test_RevertWhen_TheFirstPanelIsSeatedAgain() public {
        IJobEscrow.Terms memory terms = termsOf(3);
        reach(terms, State.Rejected);
        appeal(terms);
        draw(terms);
        bytes32 id = escrow.jobIdOf(terms);
        for (uint256 i = 0; i < 3; ++i) {
            yes(escrow.seatOf(id, validator(i)) == SeatStatus.Failed, "not drawn again");
        }
        eq(escrow.job(id).occupied, 6, "three others");
    }

    function _challenged() private returns (IJobEscrow.Terms memory terms) {
        terms = termsOf(0);
        reach(terms, State.Claimed);
        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_NotParty.selector);
        escrow.challenge(terms);
        challenge(terms);
    }
}
