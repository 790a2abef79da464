// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

/// @notice Who gets what of a slashed stake: a tenth at most, and nothing where the requester chose the judges.
contract StakesTest is Steps {
    function test_WhenTheRunIsMissed_ATenthIsTheRequesters() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        passDeadline(terms);
        expire(terms, validator(3));
        eq(owedTo(requester, terms), PRICE + FEE + PROVIDER_STAKE / 10, "refund and a tenth");
        _lost(PROVIDER_STAKE / 10);
        eq(rating.ratingOf(provider, Role.Provider).late, 1, "late");
    }

    function test_WhenTheClaimIsMissed_ATenthIsTheRequesters() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validated);
        passDeadline(terms);
        expire(terms, validator(3));
        eq(owedTo(requester, terms), PRICE + PROVIDER_STAKE / 10, "refund and a tenth, though it named them");
        eq(owedTo(validator(0), terms), FEE, "the validator is paid");
        _lost(PROVIDER_STAKE / 10);
        eq(rating.ratingOf(provider, Role.Provider).late, 1, "late");
    }

    function test_WhenTheMeasurementIsHidden_ATenthIsTheRequesters() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        revealAlone(terms, validator(0), honest());
        passGrace(terms);
        conclude(terms);
        settle(terms, validator(3));
        eq(owedTo(requester, terms), PRICE + PROVIDER_STAKE / 10, "refund and a tenth, though it named them");
        _lost(PROVIDER_STAKE / 10);
        eq(rating.ratingOf(provider, Role.Provider).hid, 1, "hid");
    }

    function test_WhenTheSeedIsHidden_ATenthIsTheRequesters() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        abstainAll(terms);
        passGrace(terms);
        conclude(terms);
        settle(terms, validator(3));
        eq(owedTo(requester, terms), PRICE + FEE + PROVIDER_STAKE / 10, "refund and a tenth");
        _lost(PROVIDER_STAKE / 10);
    }

    function test_WhenADrawnPanelRejects_ATenthIsTheRequesters() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        drawAlone(terms);
        decide(terms, wrong());
        passDeadline(terms);
        settle(terms, validator(3));
        eq(owedTo(requester, terms), PRICE + PROVIDER_STAKE / 10, "refund and a tenth");
        _lost(PROVIDER_STAKE / 10);
        eq(rating.ratingOf(provider, Role.Provider).rejected, 1, "rejected");
    }

    function test_WhenNamedValidatorsReject_NothingIsTheRequesters() public {
        IJobEscrow.Terms memory terms = termsOf(3);
        reach(terms, State.Rejected);
        passDeadline(terms);
        settle(terms, validator(3));
        eq(owedTo(requester, terms), PRICE, "the refund alone");
        _lost(0);
    }

    function test_WhenAnAppealUpholdsNamedValidators_NothingIsTheRequesters() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Rejected);
        appeal(terms);
        draw(terms);
        decide(terms, wrong());
        settle(terms, validator(3));
        eq(owedTo(requester, terms), PRICE, "the refund alone");
        _lost(0);
    }

    function test_WhenAValidatorHides_ItsWholeStakeIsBurnt() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Inconclusive);
        passDeadline(terms);
        settle(terms, validator(5));
        eq(owedTo(requester, terms), PRICE + FEE, "nothing of it the requester's");
        eq(owedTo(provider, terms), 0, "nothing the provider's");
        eq(registry.burnt(), VALIDATOR_STAKE, "all is burnt");
        eq(lostBy(validator(0)), VALIDATOR_STAKE, "all of it");
        eq(rating.ratingOf(validator(0), Role.Validator).hid, 1, "hid");
    }

    function testFuzz_ATenthIsRoundedDown(uint96 stake) public {
        IJobEscrow.Terms memory terms = termsOf(1);
        terms.providerStake = uint96(uint256(stake) % (STAKE - POOL_STAKE + 1));
        reach(terms, State.Accepted);
        passDeadline(terms);
        expire(terms, requester);
        uint256 tenth = uint256(terms.providerStake) / 10;
        eq(owedTo(requester, terms), PRICE + FEE + tenth, "a tenth");
        eq(registry.burnt(), terms.providerStake - tenth, "the rest");
        eq(address(registry).balance, STAKE * crowd.length - tenth, "stays where nobody reaches it");
    }

    function _lost(uint256 tenth) private view {
        eq(lostBy(provider), PROVIDER_STAKE, "the provider's stake");
        eq(registry.burnt(), PROVIDER_STAKE - tenth, "the rest is nobody's");
    }
}
