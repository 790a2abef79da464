// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../contracts/interfaces/IJob.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

/// @notice See challenges.tree.
contract ChallengesTest is Steps {
    uint256 private constant DEPOSIT = PRICE / 2;

    function test_WhenTheRequesterDoesNotChallenge_AnyoneSettlesAfterTheWindow() public {
        IJob.Terms memory terms = _claimed();
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        bytes memory data = abi.encodeCall(escrow.settle, (terms, new address[](0)));
        assertReverts(provider, data, tooEarly(terms, deadline));
        passDeadline(terms);
        settle(terms, validator(0));
        assertEq(owedTo(provider, terms), PRICE, "paid");
    }

    function test_WhenTheRequesterSettles_TheProviderIsPaidAtOnce() public {
        IJob.Terms memory terms = _claimed();
        settle(terms, requester);
        assertEq(owedTo(provider, terms), PRICE, "paid");
    }

    function test_WhenAChallengeIsWon_OnlyTheProviderLoses() public {
        IJob.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        address[] memory panel = seatedAs(terms, SeatStatus.Appointed);
        assertEq(panel.length, 3, "three are drawn");
        decide(terms, wrong());
        passDeadline(terms);
        settle(terms, validator(0));

        assertEq(owedTo(requester, terms), PRICE + DEPOSIT + PROVIDER_STAKE / 10, "refund, deposit and a tenth");
        assertEq(owedTo(provider, terms), 0, "nothing for the provider");
        assertEq(lostBy(provider), PROVIDER_STAKE, "its stake is slashed");
        assertEq(registry.burnt(), PROVIDER_STAKE - PROVIDER_STAKE / 10, "the rest is burnt");
        for (uint256 i = 0; i < panel.length; ++i) {
            assertEq(owedTo(panel[i], terms), FEE, "the panel is paid");
        }
        assertEq(rating.ratingOf(provider, Role.Provider).rejected, 1, "outcome is counted");
    }

    function test_WhenAChallengeIsLost_HalfOfThePriceIsBurnt() public {
        IJob.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        decide(terms, honest());
        assertTrue(stateOf(terms) == State.Validated, "validated");
        assertReverts(provider, claimData(terms), invalidStatus(terms));
        bytes memory late = abi.encodeCall(escrow.expire, (terms, panelOf(terms)));
        assertReverts(requester, late, invalidStatus(terms));
        settle(terms, validator(11));

        assertEq(owedTo(provider, terms), PRICE, "price");
        assertEq(escrow.owed(address(0), terms.token), DEPOSIT, "deposit burnt");
        assertEq(owedTo(requester, terms), 0, "the bond is spent");
        assertEq(lostBy(provider), 0, "not slashed");
    }

    function test_WhenAChallengeIsInconclusive_TheClaimStands() public {
        IJob.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        commitAll(terms, wrong());
        address[] memory panel = panelOf(terms);
        reveal(terms, panel[0], wrong());
        passDeadline(terms);
        conclude(terms);
        assertTrue(stateOf(terms) == State.Inconclusive, "one of three is no majority");
        settle(terms, provider);

        assertEq(owedTo(provider, terms), PRICE, "the claim stands");
        assertEq(owedTo(requester, terms), 2 * FEE + DEPOSIT, "the bond comes back without the fee that was earned");
        assertEq(lostBy(panel[1]), VALIDATOR_STAKE, "the validator that hid is slashed");
        assertEq(lostBy(panel[0]), 0, "the validator that revealed is not");
    }

    function test_WhenThePanelDoesNotCommit_TheClaimStands() public {
        IJob.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        abstainAll(terms);
        draw(terms);
        dismissAll(terms);
        assertTrue(stateOf(terms) == State.Inconclusive, "no measurement");
        settle(terms, provider);
        assertEq(owedTo(provider, terms), PRICE, "the claim stands");
        assertEq(owedTo(requester, terms), 3 * FEE + DEPOSIT, "the bond comes back");
    }

    function test_RevertWhen_AChallengeIsLateRepeatedOrNotTheRequesters() public {
        IJob.Terms memory terms = _claimed();
        uint256 bond = escrow.challengeBondOf(terms);
        assertEq(bond, 3 * FEE + DEPOSIT, "three fees and half the price");
        bytes memory data = challengeData(terms);
        assertReverts(provider, bond, data, notParty(terms, provider));
        assertReverts(requester, bond - 1, data, wrongPayment(bond - 1, bond));
        bytes memory next = abi.encodeCall(escrow.challenge, (terms, MASK_HASH, seedOf(REQUESTERS_SECRET, 2)));
        assertReverts(requester, bond, next, seedMismatch(terms, requester));

        uint256 snapshot = vm.snapshotState();
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline + 1);
        assertReverts(requester, bond, data, tooLate(terms, deadline));
        vm.revertToState(snapshot);

        vm.warp(deadline);
        challenge(terms);
        assertReverts(requester, bond, data, invalidStatus(terms));
        drawAsProvider(terms);
        decide(terms, honest());
        assertReverts(requester, bond, data, invalidStatus(terms));
    }

    function test_WhenThePanelWasDrawnWithoutTheRequester_TheClaimCanBeChallenged() public {
        IJob.Terms memory terms = _oneSided(1, honest());
        assertReverts(requester, escrow.challengeBondOf(terms), challengeData(terms), invalidStatus(terms));
        claim(terms);
        assertTrue(stateOf(terms) == State.Claimed, "claimed, not settled");
        uint256 deadline = jobOf(terms).deadline;
        assertEq(deadline, vm.getBlockTimestamp() + WINDOW, "the challenge window");
        assertEq(owedTo(provider, terms), 0, "not paid yet");
        bytes memory data = abi.encodeCall(escrow.settle, (terms, panelOf(terms)));
        vm.warp(deadline);
        assertReverts(provider, data, tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        settle(terms, provider);
        assertEq(owedTo(provider, terms), PRICE, "paid after the window");
        assertEq(owedTo(panelOf(terms)[0], terms), FEE, "the panel is paid");
    }

    function test_WhenAReplacementWasDrawnWithoutTheRequester_TheClaimCanBeChallenged() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        abstain(terms, validator(1));
        drawAlone(terms);
        decide(terms, honest());
        claim(terms);
        assertTrue(stateOf(terms) == State.Claimed, "claimed, not settled");
    }

    function test_WhenThePanelWasDrawnWithBothSeeds_TheClaimSettles() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        abstainAll(terms);
        draw(terms);
        decide(terms, honest());
        claim(terms);
        assertTrue(stateOf(terms) == State.Settled, "settled");
    }

    function test_WhenTheChallengesPanelContradictsTheFirst_TheFirstPanelPays() public {
        IJob.Terms memory terms = _oneSided(3, honest());
        address[] memory first = panelOf(terms);
        claim(terms);
        challenge(terms);
        drawAsProvider(terms);
        address[] memory second = seatedAs(terms, SeatStatus.Appointed);
        decide(terms, wrong());
        passDeadline(terms);
        settle(terms, requester);

        for (uint256 i = 0; i < 3; ++i) {
            assertEq(owedTo(first[i], terms), 0, "no fee for a wrong vote");
            assertEq(lostBy(first[i]), VALIDATOR_STAKE, "and its stake is slashed");
            assertEq(rating.ratingOf(first[i], Role.Validator).rejected, 1, "outcome is counted");
            assertEq(owedTo(second[i], terms), FEE, "the second panel is paid");
        }
        uint256 refund = PRICE + 3 * FEE + DEPOSIT + PROVIDER_STAKE / 10;
        assertEq(owedTo(requester, terms), refund, "their fees go to the requester");
        uint256 burnt = 3 * VALIDATOR_STAKE + PROVIDER_STAKE - PROVIDER_STAKE / 10;
        assertEq(registry.burnt(), burnt, "their stakes are burnt");
    }

    function test_WhenTheChallengesPanelConfirmsTheFirst_TheDissenterPays() public {
        IJob.Terms memory terms = termsOf(3);
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

        assertEq(lostBy(first[0]), VALIDATOR_STAKE, "the dissenter is slashed");
        assertEq(owedTo(first[0], terms), 0, "its fee");
        assertEq(owedTo(first[1], terms), FEE, "the others are paid");
        assertEq(owedTo(provider, terms), PRICE + FEE, "price and the fee lost");
        assertEq(escrow.owed(address(0), terms.token), DEPOSIT, "deposit burnt");
        assertEq(owedTo(requester, terms), 0, "nothing comes back");
    }

    function test_WhenAnAppealOverrulesAChallenge_TheProviderGetsThePanelsFeesToo() public {
        IJob.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        address[] memory second = panelOf(terms);
        decide(terms, wrong());
        appeal(terms);
        draw(terms);
        decide(terms, honest());
        assertReverts(provider, claimData(terms), invalidStatus(terms));
        settle(terms, provider);

        assertEq(owedTo(provider, terms), PRICE + 3 * FEE, "price and the fees lost");
        for (uint256 i = 0; i < second.length; ++i) {
            assertEq(lostBy(second[i]), VALIDATOR_STAKE, "the challenge's panel pays");
        }
    }

    function test_WhenAnAppealOfAChallengeIsInconclusive_EachSideIsRefunded() public {
        IJob.Terms memory terms = _claimed();
        challenge(terms);
        drawAsProvider(terms);
        decide(terms, wrong());
        appeal(terms);
        draw(terms);
        dismissAll(terms);
        draw(terms);
        dismissAll(terms);
        settle(terms, provider);
        assertEq(owedTo(requester, terms), PRICE + DEPOSIT, "refund and deposit");
        assertEq(owedTo(provider, terms), 3 * FEE, "its bond");
        assertEq(lostBy(provider), 0, "not slashed");
    }

    function test_WhenAppealAndChallengeConfirm_AllDissentersPay() public {
        (IJob.Terms memory terms, address dissenter) = _appealedOneSided();
        address first = validator(0);
        claim(terms);
        challenge(terms);
        drawAsProvider(terms);
        decide(terms, honest());
        settle(terms, provider);

        assertTrue(stateOf(terms) == State.Settled, "settled");
        assertEq(lostBy(first), VALIDATOR_STAKE, "the first validator");
        assertEq(lostBy(dissenter), VALIDATOR_STAKE, "the appeal's dissenter");
        // The provider's bond pays two fees of its panel; the fees of both dissenters go to the provider.
        assertEq(owedTo(provider, terms), PRICE + FEE + FEE, "price and both fees");
        assertEq(owedTo(requester, terms), 0, "the requester's fees are spent");
        assertEq(owedTo(dissenter, terms) + owedTo(first, terms), 0, "nothing for the dissenters");
    }

    function test_WhenAChallengeContradictsAnAppeal_TheAppealsMajorityPays() public {
        (IJob.Terms memory terms, address dissenter) = _appealedOneSided();
        claim(terms);
        challenge(terms);
        drawAsProvider(terms);
        decide(terms, wrong());
        assertReverts(provider, 3 * FEE, abi.encodeCall(escrow.appeal, (terms)), noAppeal(terms));
        settle(terms, provider);

        assertEq(owedTo(validator(0), terms), FEE, "the first validator was right");
        assertEq(owedTo(dissenter, terms), FEE, "the appeal's dissenter was right");
        assertEq(owedTo(provider, terms), 2 * FEE, "the rest of its bond");
        assertEq(owedTo(requester, terms), PRICE + DEPOSIT, "no compensation, since it had named the first");
        assertEq(registry.burnt(), PROVIDER_STAKE + 2 * VALIDATOR_STAKE, "all is burnt");
    }

    function _claimed() private returns (IJob.Terms memory terms) {
        terms = termsOf(0);
        reach(terms, State.Claimed);
    }

    /// @dev Judged by validators that were drawn by the provider's seed alone.
    function _oneSided(uint8 validators, IJob.Measurement memory found)
        private
        returns (IJob.Terms memory terms)
    {
        terms = termsOf(validators);
        reach(terms, State.Submitted);
        drawAlone(terms);
        decide(terms, found);
    }

    /// @dev Rejected by the named validator, confirmed by two of three that were drawn by the provider's seed alone.
    function _appealedOneSided() private returns (IJob.Terms memory terms, address dissenter) {
        terms = termsOf(1);
        reach(terms, State.Rejected);
        appeal(terms);
        drawAlone(terms);
        dissenter = seatedAs(terms, SeatStatus.Appointed)[1];
        commit(terms, dissenter, wrong());
        commitAll(terms, honest());
        reveal(terms, dissenter, wrong());
        revealAll(terms, honest());
        assertTrue(stateOf(terms) == State.Validated, "two of three confirm");
    }
}
