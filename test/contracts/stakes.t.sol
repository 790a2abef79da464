// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, State} from "../../contracts/interfaces/IJob.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

/// @notice The requester gets a tenth of the provider's slashed stake, and nothing where it had named the validators
/// that rejected the result. See stakes.tree.
contract StakesTest is Steps {
    function test_WhenTheRunIsMissed_ATenthGoesToTheRequester() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        passDeadline(terms);
        expire(terms, validator(3));
        assertEq(owedTo(requester, terms), PRICE + FEE + PROVIDER_STAKE / 10, "refund and a tenth");
        _lost(PROVIDER_STAKE / 10);
        assertEq(rating.ratingOf(provider, Role.Provider).late, 1, "late");
    }

    function test_WhenTheClaimIsMissed_ATenthGoesToTheRequester() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validated);
        passDeadline(terms);
        expire(terms, validator(3));
        assertEq(owedTo(requester, terms), PRICE + PROVIDER_STAKE / 10, "refund and a tenth, although it named them");
        assertEq(owedTo(validator(0), terms), FEE, "the validator is paid");
        _lost(PROVIDER_STAKE / 10);
        assertEq(rating.ratingOf(provider, Role.Provider).late, 1, "late");
    }

    function test_WhenTheMeasurementIsHidden_ATenthGoesToTheRequester() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        revealAlone(terms, validator(0), honest());
        passGrace(terms);
        conclude(terms);
        settle(terms, validator(3));
        assertEq(owedTo(requester, terms), PRICE + PROVIDER_STAKE / 10, "refund and a tenth, although it named them");
        _lost(PROVIDER_STAKE / 10);
        assertEq(rating.ratingOf(provider, Role.Provider).hid, 1, "hid");
    }

    function test_WhenTheSeedIsHidden_ATenthGoesToTheRequester() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        abstainAll(terms);
        passGrace(terms);
        conclude(terms);
        settle(terms, validator(3));
        assertEq(owedTo(requester, terms), PRICE + FEE + PROVIDER_STAKE / 10, "refund and a tenth");
        _lost(PROVIDER_STAKE / 10);
    }

    function test_WhenADrawnPanelRejects_ATenthGoesToTheRequester() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        drawAlone(terms);
        decide(terms, wrong());
        passDeadline(terms);
        settle(terms, validator(3));
        assertEq(owedTo(requester, terms), PRICE + PROVIDER_STAKE / 10, "refund and a tenth");
        _lost(PROVIDER_STAKE / 10);
        assertEq(rating.ratingOf(provider, Role.Provider).rejected, 1, "rejected");
    }

    function test_WhenNamedValidatorsReject_NothingGoesToTheRequester() public {
        IJob.Terms memory terms = termsOf(3);
        reach(terms, State.Rejected);
        passDeadline(terms);
        settle(terms, validator(3));
        assertEq(owedTo(requester, terms), PRICE, "the refund alone");
        _lost(0);
    }

    function test_WhenAnAppealUpholdsNamedValidators_NothingGoesToTheRequester() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Rejected);
        appeal(terms);
        draw(terms);
        decide(terms, wrong());
        settle(terms, validator(3));
        assertEq(owedTo(requester, terms), PRICE, "the refund alone");
        _lost(0);
    }

    function test_WhenAValidatorHides_ItsWholeStakeIsBurnt() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Inconclusive);
        passDeadline(terms);
        settle(terms, validator(5));
        assertEq(owedTo(requester, terms), PRICE + FEE, "nothing of it for the requester");
        assertEq(owedTo(provider, terms), 0, "nothing of it for the provider");
        assertEq(registry.burnt(), VALIDATOR_STAKE, "all is burnt");
        assertEq(lostBy(validator(0)), VALIDATOR_STAKE, "all of it");
        assertEq(rating.ratingOf(validator(0), Role.Validator).hid, 1, "hid");
    }

    function testFuzz_ATenthIsRoundedDown(uint96 stake) public {
        IJob.Terms memory terms = termsOf(1);
        terms.providerStake = uint96(uint256(stake) % (STAKE - POOL_STAKE + 1));
        reach(terms, State.Accepted);
        passDeadline(terms);
        expire(terms, requester);
        uint256 tenth = uint256(terms.providerStake) / 10;
        assertEq(owedTo(requester, terms), PRICE + FEE + tenth, "a tenth");
        assertEq(registry.burnt(), terms.providerStake - tenth, "the rest");
        assertEq(address(registry).balance, STAKE * accounts.length - tenth, "the rest stays in the registry");
    }

    function _lost(uint256 tenth) private view {
        assertEq(lostBy(provider), PROVIDER_STAKE, "the provider's stake");
        assertEq(registry.burnt(), PROVIDER_STAKE - tenth, "the rest is burnt");
    }
}
