// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../contracts/interfaces/IJob.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Mode} from "../../contracts/libraries/Rule.sol";
import {Steps} from "./support/Steps.sol";

/// @notice See unmet.tree.
contract UnmetTest is Steps {
    uint256 private constant PAY = uint256(PRICE) * EFFORT / 10_000;

    function test_WhenTheResultIsShortOfTheThreshold_TheProviderGetsItsEffortAndKeepsItsStake() public {
        IJob.Terms memory terms = _short(1);
        assertTrue(stateOf(terms) == State.Rejected && jobOf(terms).unmet, "rejected as unmet");
        passDeadline(terms);
        settle(terms, requester);

        assertEq(owedTo(provider, terms), PAY, "the effort");
        assertEq(owedTo(requester, terms), PRICE - PAY, "the rest comes back");
        assertEq(owedTo(validator(0), terms), FEE, "the validator is paid");
        assertEq(lostBy(provider), 0, "not slashed");
        assertEq(registry.burnt(), 0, "nothing is burnt");
        assertEq(rating.ratingOf(provider, Role.Provider).unmet, 1, "counted for the provider");
        assertEq(rating.ratingOf(requester, Role.Requester).unmet, 1, "and for the requester");
    }

    function test_WhenThereIsAWindowToAppeal_ItIsNotSettledBefore() public {
        IJob.Terms memory terms = _short(1);
        bytes memory data = abi.encodeCall(escrow.settle, (terms, panelOf(terms)));
        assertReverts(requester, data, tooEarly(terms, jobOf(terms).deadline));
    }

    function test_WhenAnAppealFindsItGood_TheValidatorThatFoundItShortPays() public {
        IJob.Terms memory terms = _short(1);
        appeal(terms);
        draw(terms);
        decide(terms, honest());
        assertTrue(stateOf(terms) == State.Validated && !jobOf(terms).unmet, "validated");
        claim(terms);

        assertEq(owedTo(provider, terms), PRICE + FEE, "price and the fee lost");
        assertEq(lostBy(validator(0)), VALIDATOR_STAKE, "its stake is burnt");
        assertEq(owedTo(requester, terms), 0, "the fee is paid all the same");
    }

    function test_WhenAnAppealFindsItShortToo_TheBondPaysThePanel() public {
        IJob.Terms memory terms = _short(1);
        appeal(terms);
        draw(terms);
        decide(terms, short());
        settle(terms, requester);

        assertEq(owedTo(provider, terms), PAY, "the effort, and nothing of the bond");
        assertEq(owedTo(requester, terms), PRICE - PAY, "the rest");
        assertEq(lostBy(validator(0)), 0, "nobody was wrong");
    }

    function test_WhenAnAppealFindsFraud_TheValidatorThatFoundItShortPays() public {
        IJob.Terms memory terms = _short(1);
        appeal(terms);
        draw(terms);
        decide(terms, wrong());
        settle(terms, requester);

        assertEq(owedTo(provider, terms), 0, "no effort for a fraud");
        assertEq(lostBy(provider), PROVIDER_STAKE, "slashed");
        assertEq(lostBy(validator(0)), VALIDATOR_STAKE, "it confirmed a fraud");
        assertEq(owedTo(requester, terms), PRICE + FEE, "its fee stays with the requester");
    }

    function test_WhenAnAppealFindsItShort_TheValidatorThatFoundFraudPays() public {
        IJob.Terms memory terms = termsOf(1, Mode.Exam, address(0));
        reach(terms, State.Validating);
        decide(terms, wrong());
        appeal(terms);
        draw(terms);
        decide(terms, short());
        settle(terms, requester);

        assertEq(owedTo(provider, terms), PAY + FEE, "the effort and the fee lost");
        assertEq(lostBy(provider), 0, "not slashed");
        assertEq(lostBy(validator(0)), VALIDATOR_STAKE, "it accused falsely");
    }

    function test_WhenAMajorityOfThreeFindsItShort_TheOtherKeepsItsFee() public {
        IJob.Terms memory terms = termsOf(3, Mode.Exam, address(0));
        reach(terms, State.Validating);
        commit(terms, validator(0), short());
        commit(terms, validator(1), honest());
        commit(terms, validator(2), short());
        reveal(terms, validator(0), short());
        reveal(terms, validator(1), honest());
        reveal(terms, validator(2), short());
        assertTrue(jobOf(terms).unmet, "unmet");
        passDeadline(terms);
        settle(terms, requester);
        assertEq(owedTo(validator(1), terms), FEE, "a dissenter is paid");
        assertTrue(seatOf(terms, validator(0)) == SeatStatus.Unmet, "their votes");
    }

    function test_WhenNoVoteHasAMajority_ItIsInconclusive() public {
        IJob.Terms memory terms = termsOf(2, Mode.Exam, address(0));
        reach(terms, State.Validating);
        commit(terms, validator(0), short());
        commit(terms, validator(1), honest());
        reveal(terms, validator(0), short());
        reveal(terms, validator(1), honest());
        assertTrue(stateOf(terms) == State.Inconclusive, "one of two is no majority");
    }

    function test_WhenEvaluatedShort_AProviderThatSaidSoGetsItsEffort() public {
        IJob.Terms memory terms = termsOf(1);
        terms.rule = ruleOf(Mode.Evaluate, 1, 5_000_000, GOOD + 1);
        reach(terms, State.Validating);
        decide(terms, honest());
        assertTrue(stateOf(terms) == State.Rejected && jobOf(terms).unmet, "confirmed, and short");
    }

    function test_WhenUnmet_TheValidatorCanBeScored() public {
        IJob.Terms memory terms = _short(1);
        passDeadline(terms);
        settle(terms, requester);
        vm.prank(requester);
        escrow.rate(terms, validator(0), 4);
        assertEq(rating.ratingOf(validator(0), Role.Validator).count, 1, "scored");
    }

    function test_RevertWhen_AnExamHasNoValidator() public {
        IJob.Terms memory terms = termsOf(0, Mode.Exam, address(0));
        bytes memory data = abi.encodeCall(escrow.post, (terms, tipOf(REQUESTERS_SECRET), "sealed"));
        bytes memory reason = abi.encodeWithSelector(IJob.JobEscrow_InvalidTerms.selector);
        assertReverts(requester, PRICE, data, reason);
    }

    /// @dev All validators of the first round confirm the outputs and find them short of the threshold.
    function _short(uint8 validators) private returns (IJob.Terms memory terms) {
        terms = termsOf(validators, Mode.Exam, address(0));
        reach(terms, State.Validating);
        decide(terms, short());
    }
}
