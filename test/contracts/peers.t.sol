// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

/// @notice The escrow failures that other markets shipped, each through the public calls.
contract PeersTest is Steps {
    function test_Lilypad_WhenTheProviderVanishes_TheRequesterIsRefunded() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        passDeadline(terms);
        expire(terms, requester);
        uint256 before = requester.balance;
        vm.prank(requester);
        escrow.withdraw(address(0));
        eq(requester.balance - before, PRICE + FEE + PROVIDER_STAKE, "out of the contract");
    }

    function test_Lilypad_WhenTheRequesterVanishes_TheProviderIsPaid() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        passDeadline(terms);
        vm.prank(provider);
        escrow.draw(terms);
        draw(terms);
        commitAll(terms, honest());
        revealAll(terms, honest());
        claim(terms);
        uint256 before = provider.balance;
        vm.prank(provider);
        escrow.withdraw(address(0));
        eq(provider.balance - before, PRICE, "paid");
        eq(registry.offerOf(provider).stake, STAKE, "and not slashed");
    }

    function test_Lilypad_WhenTheRequesterIsLate_ThereIsNoFreeCompute() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        passDeadline(terms);
        IJobEscrow.Appointment[] memory list = appointmentsOf(1);
        address[] memory nobody = new address[](0);
        vm.startPrank(requester);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_TooLate.selector);
        escrow.appoint(terms, list);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_InvalidStatus.selector);
        escrow.expire(terms, nobody);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_InvalidStatus.selector);
        escrow.settle(terms, nobody);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_InvalidStatus.selector);
        escrow.cancel(terms);
        escrow.draw(terms);
        vm.stopPrank();
        draw(terms);

        // Each step's clock starts with that step: the drawn validator has a whole window.
        eq(escrow.job(escrow.jobIdOf(terms)).deadline, vm.getBlockTimestamp() + WINDOW, "a clock of its own");
        commitAll(terms, honest());
        revealAll(terms, honest());
        claim(terms);
        eq(owedTo(provider, terms), PRICE, "the work is paid");
    }

    function test_Lilypad_WhenAStepTimesOut_EachPartyGetsItsOwnBack() public {
        IJobEscrow.Terms memory unaccepted = termsOf(2);
        reach(unaccepted, State.Posted);
        passDeadline(unaccepted);
        escrow.cancel(unaccepted);
        eq(owedTo(requester, unaccepted), PRICE + 2 * FEE, "the requester's own");
        eq(owedTo(provider, unaccepted), 0, "nothing of it the provider's");
        eq(registry.offerOf(provider).lockedStake, 0, "whose stake was never locked");
    }

    function test_Lilypad_NobodyKnowsTheJudgeBeforehand() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        passDeadline(terms);
        escrow.draw(terms);
        // The same job at the same second, in chains that differ after the commitment: different judges.
        address first = address(0);
        bool differs = false;
        for (uint256 i = 0; i < 8 && !differs; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.roll(vm.getBlockNumber() + 300 * (i + 1));
            escrow.draw(terms);
            draw(terms);
            address drawn = seatedAs(terms, SeatStatus.Appointed)[0];
            vm.revertToState(snapshot);
            if (first == address(0)) first = drawn;
            else differs = drawn != first;
        }
        yes(differs, "the block decides");

        draw(terms);
        passDeadline(terms);
        escrow.dismiss(terms, seatedAs(terms, SeatStatus.Appointed));
        draw(terms);
        passDeadline(terms);
        escrow.dismiss(terms, seatedAs(terms, SeatStatus.Appointed));
        settle(terms, provider);
        eq(registry.offerOf(provider).stake, STAKE, "a judge's failure costs the provider nothing");
    }

    function test_IExec_WhatWasLockedForAJobPaysIt() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validated);
        // The requester has nothing left outside the job.
        vm.deal(requester, 0);
        eq(escrow.owed(requester, address(0)), 0, "and nothing owed");
        claim(terms);
        vm.prank(provider);
        eq(escrow.withdraw(address(0)), PRICE, "paid from the job's own money");
    }

    function test_IExec_AMissedDeadlinePaysTheVictim_AndTheOverruledPay() public {
        IJobEscrow.Terms memory late = termsOf(1);
        reach(late, State.Validated);
        passDeadline(late);
        expire(late, requester);
        eq(owedTo(requester, late), PRICE + PROVIDER_STAKE, "the victim, no kitty");
        eq(registry.burnt(), 0, "nothing burnt");

        IJobEscrow.Terms memory slandered = termsOf(1);
        reach(slandered, State.Rejected);
        appeal(slandered);
        draw(slandered);
        commitAll(slandered, honest());
        revealAll(slandered, honest());
        claim(slandered);
        eq(registry.offerOf(validator(0)).stake, STAKE - VALIDATOR_STAKE, "a dissenter overruled is punished");
    }

    function test_ERC8004_NoScoreWithoutAJob_NoneTwice_AtConstantCost() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        vm.prank(requester);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_InvalidStatus.selector);
        escrow.rate(terms, provider, 5);
        reach(terms, State.Validated);
        vm.prank(requester);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_InvalidStatus.selector);
        escrow.rate(terms, provider, 5);

        claim(terms);
        _refuse(terms, validator(3), provider, IJobEscrow.JobEscrow_NotParty.selector);
        _refuse(terms, requester, validator(3), IJobEscrow.JobEscrow_WrongSeat.selector);
        _rate(terms, requester, provider);
        _rate(terms, requester, validator(0));
        _rate(terms, provider, requester);
        _refuse(terms, requester, provider, IJobEscrow.JobEscrow_AlreadyRated.selector);
        _refuse(terms, requester, validator(0), IJobEscrow.JobEscrow_AlreadyRated.selector);
        _refuse(terms, provider, requester, IJobEscrow.JobEscrow_AlreadyRated.selector);
        eq(rating.ratingOf(provider, Role.Provider).count, 1, "one score");
        eq(rating.ratingOf(provider, Role.Provider).sum, 4, "as given");
    }

    function _rate(IJobEscrow.Terms memory terms, address by, address subject) private {
        vm.prank(by);
        escrow.rate(terms, subject, 4);
    }

    function _refuse(IJobEscrow.Terms memory terms, address by, address subject, bytes4 selector) private {
        vm.prank(by);
        vm.expectPartialRevert(selector);
        escrow.rate(terms, subject, 5);
    }
}
