// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

contract ChallengesTest is Steps {
    uint256 private constant DEPOSIT = PRICE / 2;

    function test_WhenNobodyChallenges_AnyoneSettlesAfterTheWindow() public {
        IJobEscrow.Terms memory terms = _claimed();
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        bytes memory data = abi.encodeCall(IJobEscrow.settle, (terms, new address[](0)));
        refuses(provider, data, tooEarly(terms, deadline));
        passDeadline(terms);
        settle(terms, validator(0));
        eq(owedTo(provider, terms), PRICE, "paid");
    }

    function test_WhenTheRequesterIsContent_ItSettlesAtOnce() public {
        IJobEscrow.Terms memory terms = _claimed();
        settle(terms, requester);
        eq(owedTo(provider, terms), PRICE, "paid");
    }

    function test_WhenAChallengeIsWon_OnlyTheProviderLoses() public {
        IJobEscrow.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        address[] memory panel = seatedAs(terms, SeatStatus.Appointed);
        eq(panel.length, 3, "three are drawn");
        decide(terms, wrong());
        passDeadline(terms);
        settle(terms, validator(0));

        eq(owedTo(requester, terms), PRICE + DEPOSIT + PROVIDER_STAKE / 10, "refund, deposit and a tenth");
        eq(owedTo(provider, terms), 0, "nothing for it");
        eq(lostBy(provider), PROVIDER_STAKE, "and its stake gone");
        eq(registry.burnt(), PROVIDER_STAKE - PROVIDER_STAKE / 10, "the rest is nobody's");
        for (uint256 i = 0; i < panel.length; ++i) {
            eq(owedTo(panel[i], terms), FEE, "the panel is paid");
        }
        eq(rating.ratingOf(provider, Role.Provider).rejected, 1, "counted");
    }

    function test_WhenAChallengeIsLost_HalfOfThePriceIsBurnt() public {
        IJobEscrow.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        decide(terms, honest());
        yes(stateOf(terms) == State.Validated, "validated");
        refuses(provider, claimData(terms), invalidStatus(terms));
        bytes memory late = abi.encodeCall(IJobEscrow.expire, (terms, panelOf(terms)));
        refuses(requester, late, invalidStatus(terms));
        settle(terms, validator(11));

        eq(owedTo(provider, terms), PRICE, "price");
        eq(escrow.owed(address(0), terms.token), DEPOSIT, "deposit burnt");
        eq(owedTo(requester, terms), 0, "the bond is spent");
        eq(lostBy(provider), 0, "not slashed");
    }

    function test_WhenAChallengeIsInconclusive_TheClaimStands() public {
        IJobEscrow.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        commitAll(terms, wrong());
        address[] memory panel = panelOf(terms);
        reveal(terms, panel[0], wrong());
        passDeadline(terms);
        conclude(terms);
        yes(stateOf(terms) == State.Inconclusive, "one of three is no majority");
        settle(terms, provider);

        eq(owedTo(provider, terms), PRICE, "the claim stands");
        eq(owedTo(requester, terms), 2 * FEE + DEPOSIT, "the bond comes back but for the work done");
        eq(lostBy(panel[1]), VALIDATOR_STAKE, "who hid is slashed");
        eq(lostBy(panel[0]), 0, "who worked is not");
    }

    function test_WhenNoPanelCanBeHad_TheClaimStands() public {
        IJobEscrow.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        abstainAll(terms);
        draw(terms);
        dismissAll(terms);
        yes(stateOf(terms) == State.Inconclusive, "nobody measured");
        settle(terms, provider);
        eq(owedTo(provider, terms), PRICE, "the claim stands");
        eq(owedTo(requester, terms), 3 * FEE + DEPOSIT, "the bond comes back");
    }

    function test_RevertWhen_AChallengeIsLateRepeatedOrNotTheRequesters() public {
        IJobEscrow.Terms memory terms = _claimed();
        uint256 bond = escrow.challengeBondOf(terms);
        eq(bond, 3 * FEE + DEPOSIT, "three fees and half the price");
        bytes memory data = challengeData(terms);
        refuses(provider, bond, data, notParty(terms, provider));
        refuses(requester, bond - 1, data, wrongPayment(bond - 1, bond));
        bytes memory next = abi.encodeCall(IJobEscrow.challenge, (terms, MASK_HASH, seedOf(REQUESTERS_SECRET, 2)));
        refuses(requester, bond, next, seedMismatch(terms, requester));

        uint256 snapshot = vm.snapshotState();
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline + 1);
        refuses(requester, bond, data, tooLate(terms, deadline));
        vm.revertToState(snapshot);

        vm.warp(deadline);
        challenge(terms);
        refuses(requester, bond, data, invalidStatus(terms));
        drawAsProvider(terms);
        decide(terms, honest());
        refuses(requester, bond, data, invalidStatus(terms));
    }

    function test_WhenAPanelWasDrawnWithoutTheRequester_ItsClaimCanBeChallenged() public {
        IJobEscrow.Terms memory terms = _oneSided(1, honest());
        refuses(requester, escrow.challengeBondOf(terms), challengeData(terms), invalidStatus(terms));
        claim(terms);
        yes(stateOf(terms) == State.Claimed, "claimed, not settled");
        uint256 deadline = jobOf(terms).deadline;
        eq(deadline, vm.getBlockTimestamp() + WINDOW, "the challenge window");
        eq(owedTo(provider, terms), 0, "not paid yet");
        bytes memory data = abi.encodeCall(IJobEscrow.settle, (terms, panelOf(terms)));
        vm.warp(deadline);
        refuses(provider, data, tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        settle(terms, provider);
        eq(owedTo(provider, terms), PRICE, "paid once nobody objects");
        eq(owedTo(panelOf(terms)[0], terms), FEE, "as is the panel");
    }

    function test_WhenAReplacementWasDrawnWithoutTheRequester_ItsClaimCanBeChallenged() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        abstain(terms, validator(1));
        drawAlone(terms);
        decide(terms, honest());
        claim(terms);
        yes(stateOf(terms) == State.Claimed, "claimed, not settled");
    }

    function test_WhenBothDrewThePanel_TheClaimSettles() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        abstainAll(terms);
        draw(terms);
        decide(terms, honest());
        claim(terms);
        yes(stateOf(terms) == State.Settled, "settled");
    }

    function test_WhenALaterPanelContradictsOneThatPassed_ItsValidatorsPay() public {
        IJobEscrow.Terms memory terms = _oneSided(3, honest());
        address[] memory first = panelOf(terms);
        claim(terms);
        challenge(terms);
        drawAsProvider(terms);
        address[] memory second = seatedAs(terms, SeatStatus.Appointed);
        decide(terms, wrong());
        passDeadline(terms);
        settle(terms, requester);

        for (uint256 i = 0; i < 3; ++i) {
            eq(owedTo(first[i], terms), 0, "no fee for a wrong vote");
            eq(lostBy(first[i]), VALIDATOR_STAKE, "and no stake");
            eq(rating.ratingOf(first[i], Role.Validator).rejected, 1, "counted");
            eq(owedTo(second[i], terms), FEE, "the second panel is paid");
        }
        eq(owedTo(requester, terms), PRICE + 3 * FEE + DEPOSIT + PROVIDER_STAKE / 10, "their fees are the requester's");
        uint256 burnt = 3 * VALIDATOR_STAKE + PROVIDER_STAKE - PROVIDER_STAKE / 10;
        eq(registry.burnt(), burnt, "their stakes are nobody's");
    }

    function test_WhenALaterPanelConfirmsOne_ThoseWhoVotedAgainstPay() public {
        IJobEscrow.Terms memory terms = termsOf(3);
        reach(terms, State.Submitted);
        drawAlone(terms);
        address[] memory first = panelOf(terms);
        commit(terms, first[0], wrong());
        commitAll(terms, honest());
        reveal(terms, first[0], wrong());
        revealAll(terms, honest());
        claim(terms);
        challenge(terms);
        drawAsProvider(terms);
        decide(terms, honest());
        settle(terms, requester);

        eq(lostBy(first[0]), VALIDATOR_STAKE, "the dissenter's stake");
        eq(owedTo(first[0], terms), 0, "and fee");
        eq(owedTo(first[1], terms), FEE, "the others are paid");
        eq(owedTo(provider, terms), PRICE + FEE, "price and the fee lost");
        eq(escrow.owed(address(0), terms.token), DEPOSIT, "deposit burnt");
        eq(owedTo(requester, terms), 0, "nothing comes back");
    }

    function test_WhenAnAppealOverrulesAChallenge_TheProviderIsPaidAndMore() public {
        IJobEscrow.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        address[] memory second = panelOf(terms);
        decide(terms, wrong());
        appeal(terms);
        draw(terms);
        decide(terms, honest());
        refuses(provider, claimData(terms), invalidStatus(terms));
        settle(terms, provider);

        eq(owedTo(provider, terms), PRICE + 3 * FEE, "price and the fees lost");
        for (uint256 i = 0; i < second.length; ++i) {
            eq(lostBy(second[i]), VALIDATOR_STAKE, "the challenge's panel pays");
        }
    }

    function test_WhenAnAppealOfAChallengeLacksAVerdict_EachSideGetsItsOwnBack() public {
        IJobEscrow.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        decide(terms, wrong());
        appeal(terms);
        draw(terms);
        dismissAll(terms);
        draw(terms);
        dismissAll(terms);
        settle(terms, provider);
        eq(owedTo(requester, terms), PRICE + DEPOSIT, "refund and deposit");
        eq(owedTo(provider, terms), 3 * FEE, "its bond");
        eq(lostBy(provider), 0, "not slashed");
    }

    function test_WhenAppealAndChallengeConfirm_EvenTheAppealsDissenterPays() public {
        (IJobEscrow.Terms memory terms, address dissenter) = _appealedOneSided();
        address first = validator(0);
        claim(terms);
        challenge(terms);
        drawAsProvider(terms);
        decide(terms, honest());
        settle(terms, provider);

        yes(stateOf(terms) == State.Settled, "settled, whoever is to lose what");
        eq(lostBy(first), VALIDATOR_STAKE, "the first validator");
        eq(lostBy(dissenter), VALIDATOR_STAKE, "the appeal's dissenter");
        // Of its own bond the provider pays two fees; those that both dissenters lose are its own.
        eq(owedTo(provider, terms), PRICE + FEE + FEE, "price and both fees");
        eq(owedTo(requester, terms), 0, "the requester's fees are spent");
        eq(owedTo(dissenter, terms) + owedTo(first, terms), 0, "nothing for them");
    }

    function test_WhenAChallengeContradictsAnAppeal_ItsPanelPays() public {
        (IJobEscrow.Terms memory terms, address dissenter) = _appealedOneSided();
        claim(terms);
        challenge(terms);
        drawAsProvider(terms);
        decide(terms, wrong());
        refuses(provider, escrow.appealBondOf(terms), abi.encodeCall(IJobEscrow.appeal, (terms)), noAppeal(terms));
        settle(terms, provider);

        eq(owedTo(validator(0), terms), FEE, "the first validator was right");
        eq(owedTo(dissenter, terms), FEE, "as was the appeal's dissenter");
        eq(owedTo(provider, terms), 2 * FEE, "what its bond did not pay");
        eq(owedTo(requester, terms), PRICE + DEPOSIT, "no compensation, since it had named the first");
        eq(registry.burnt(), PROVIDER_STAKE + 2 * VALIDATOR_STAKE, "all is burnt");
    }

    function _claimed() private returns (IJobEscrow.Terms memory terms) {
        terms = termsOf(0);
        reach(terms, State.Claimed);
    }

    /// @dev A verdict of validators whom the provider drew alone.
    function _oneSided(uint8 validators, IJobEscrow.Measurement memory found)
        private
        returns (IJobEscrow.Terms memory terms)
    {
        terms = termsOf(validators);
        reach(terms, State.Submitted);
        drawAlone(terms);
        decide(terms, found);
    }

    /// @dev Rejected by the validator named, confirmed by two of three that the provider drew alone.
    function _appealedOneSided() private returns (IJobEscrow.Terms memory terms, address dissenter) {
        terms = termsOf(1);
        reach(terms, State.Rejected);
        appeal(terms);
        drawAlone(terms);
        dissenter = seatedAs(terms, SeatStatus.Appointed)[1];
        commit(terms, dissenter, wrong());
        commitAll(terms, honest());
        reveal(terms, dissenter, wrong());
        revealAll(terms, honest());
        yes(stateOf(terms) == State.Validated, "two of three confirm");
    }
}
