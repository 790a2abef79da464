// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, State} from "../../contracts/interfaces/IJob.sol";
import {IProviderRating, Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

/// @notice See stop.tree. Floor and cap of the terms are 10 % and 90 % of the price.
contract StopTest is Steps {
    function test_WhenStoppedAtATenth_TheProviderGetsTheFloor() public {
        _assertPays(WINDOW / 10, PRICE / 10);
    }

    function test_WhenStoppedAtOnce_TheProviderGetsTheFloor() public {
        _assertPays(0, PRICE / 10);
    }

    function test_WhenStoppedAtAHalf_TheProviderGetsAHalf() public {
        _assertPays(WINDOW / 2, PRICE / 2);
    }

    function test_WhenStoppedAtTheEnd_TheProviderGetsTheCap() public {
        _assertPays(WINDOW * 99 / 100, uint256(PRICE) * 9 / 10);
        _assertPays(WINDOW, uint256(PRICE) * 9 / 10);
    }

    function testFuzz_WhenStoppedAtAnyTime_ThePriceIsShared(uint24 used) public {
        uint256 share = uint256(used % (WINDOW + 1)) * 10_000 / WINDOW;
        if (share < STOP_FLOOR) share = STOP_FLOOR;
        if (share > STOP_CAP) share = STOP_CAP;
        _assertPays(used % (WINDOW + 1), uint256(PRICE) * share / 10_000);
    }

    function test_WhenStopped_NoStakeIsLostAndNoOutcomeCounted() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Accepted);
        _stop(terms);
        assertEq(lostBy(provider), 0, "no stake");
        assertEq(registry.offerOf(provider).lockedStake, 0, "the stake is free");
        IProviderRating.Rating memory counted = rating.ratingOf(provider, Role.Provider);
        assertEq(uint256(counted.released) + counted.late + counted.settled, 0, "no outcome");
    }

    function test_RevertWhen_TheRunIsOver() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline + 1);
        assertReverts(requester, abi.encodeCall(escrow.stop, (terms)), tooLate(terms, deadline));
    }

    function test_RevertWhen_ItIsSubmittedInTheSameBlock() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        bytes memory data = abi.encodeCall(escrow.stop, (terms));
        assertReverts(requester, data, invalidStatus(terms));
    }

    function test_RevertWhen_TheProviderSubmitsAfterAStopInTheSameBlock() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        _stop(terms);
        bytes memory data = abi.encodeCall(escrow.submit, (terms, "root", "m", "k", "tip", "sealed"));
        assertReverts(provider, data, invalidStatus(terms));
    }

    function test_RevertWhen_AnotherAccountStops() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        bytes memory data = abi.encodeCall(escrow.stop, (terms));
        assertReverts(provider, data, notParty(terms, provider));
        assertReverts(validator(0), data, notParty(terms, validator(0)));
    }

    function _assertPays(uint256 used, uint256 wanted) private {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Accepted);
        (uint256 before, uint256 requesters) = (owedTo(provider, terms), owedTo(requester, terms));
        vm.warp(vm.getBlockTimestamp() + used);
        _stop(terms);
        assertTrue(stateOf(terms) == State.Refunded, "refunded");
        assertEq(owedTo(provider, terms) - before, wanted, "the provider's share");
        assertEq(owedTo(requester, terms) - requesters, PRICE - wanted + 2 * FEE, "the rest, and all fees");
    }

    function _stop(IJob.Terms memory terms) private {
        vm.prank(requester);
        escrow.stop(terms);
    }
}
