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
        eq(requester.balance - before, PRICE + FEE + PROVIDER_STAKE / 10, "out of the contract");
    }

    function test_Lilypad_WhenTheRequesterVanishes_TheProviderIsPaid() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        drawAlone(terms);
        decide(terms, honest());
        claim(terms);
        passDeadline(terms);
        settle(terms, provider);
        uint256 before = provider.balance;
        vm.prank(provider);
        escrow.withdraw(address(0));
        eq(provider.balance - before, PRICE, "paid");
        eq(registry.offerOf(provider).stake, STAKE, "and not slashed");
    }

    function test_Lilypad_WhenTheRequesterIsLate_ThereIsNoFreeCompute() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline + 1);
        address[] memory nobody = new address[](0);
        bytes memory data = abi.encodeCall(IJobEscrow.appoint, (terms, appointmentsOf(1)));
        refuses(requester, data, tooLate(terms, deadline));
        data = abi.encodeCall(IJobEscrow.expire, (terms, nobody));
        refuses(requester, data, tooEarly(terms, deadline + WINDOW));
        refuses(requester, abi.encodeCall(IJobEscrow.settle, (terms, nobody)), invalidStatus(terms));
        refuses(requester, abi.encodeCall(IJobEscrow.cancel, (terms)), invalidStatus(terms));
        drawAsProvider(terms);

        // Each step's clock starts with that step: the drawn validator has a whole window.
        eq(jobOf(terms).deadline, vm.getBlockTimestamp() + WINDOW, "a clock of its own");
        decide(terms, honest());
        claim(terms);
        passDeadline(terms);
        settle(terms, provider);
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

    function test_Lilypad_NeitherPartyKnowsTheJudgeBeforehand() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        // The same job at the same second, for several seeds of the provider: different judges. The requester
        // shows its own seed before it knows that of the provider, which cannot take another one any more.
        address first = address(0);
        bool differs = false;
        for (uint256 i = 0; i < 8 && !differs; ++i) {
            uint256 snapshot = vm.snapshotState();
            bytes32 secret = keccak256(abi.encode(i));
            bytes32 commitment = commitmentOf(terms, provider, honest());
            bytes32 key = keyCommitmentOf(terms);
            vm.prank(provider);
            escrow.submit(terms, 0, commitment, key, tipOf(secret), "");
            appoint(terms);
            abstainAll(terms);
            revealSeed(terms);
            vm.prank(provider);
            escrow.draw(terms, commitment, key, seedOf(secret, 1));
            address drawn = seatedAs(terms, SeatStatus.Appointed)[0];
            vm.revertToState(snapshot);
            if (first == address(0)) first = drawn;
            else differs = drawn != first;
        }
        yes(differs, "both seeds decide");

        submit(terms);
        drawAlone(terms);
        dismissAll(terms);
        draw(terms);
        dismissAll(terms);
        passDeadline(terms);
        settle(terms, provider);
        eq(lostBy(provider), 0, "a judge's failure costs the provider nothing");
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
        eq(owedTo(requester, late), PRICE + PROVIDER_STAKE / 10, "the victim gets a tenth");
        eq(registry.burnt(), PROVIDER_STAKE - PROVIDER_STAKE / 10, "nobody gets the rest: there is no kitty");

        IJobEscrow.Terms memory slandered = termsOf(1);
        reach(slandered, State.Rejected);
        appeal(slandered);
        draw(slandered);
        decide(slandered, honest());
        claim(slandered);
        eq(lostBy(validator(0)), VALIDATOR_STAKE, "a dissenter overruled is punished");
    }

    function test_ERC8004_NoScoreWithoutAJob_NoneTwice_AtConstantCost() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        _refuse(terms, requester, provider, invalidStatus(terms));
        reach(terms, State.Validated);
        _refuse(terms, requester, provider, invalidStatus(terms));

        claim(terms);
        _refuse(terms, validator(3), provider, notParty(terms, validator(3)));
        _refuse(terms, requester, validator(3), wrongSeat(terms, validator(3)));
        _rate(terms, requester, provider);
        _rate(terms, requester, validator(0));
        _rate(terms, provider, requester);
        _refuse(terms, requester, provider, alreadyRated(terms, requester));
        _refuse(terms, requester, validator(0), alreadyRated(terms, requester));
        _refuse(terms, provider, requester, alreadyRated(terms, provider));
        eq(rating.ratingOf(provider, Role.Provider).count, 1, "one score");
        eq(rating.ratingOf(provider, Role.Provider).sum, 4, "as given");
    }

    function _rate(IJobEscrow.Terms memory terms, address by, address subject) private {
        vm.prank(by);
        escrow.rate(terms, subject, 4);
    }

    function _refuse(IJobEscrow.Terms memory terms, address by, address subject, bytes memory reason) private {
        refuses(by, abi.encodeCall(IJobEscrow.rate, (terms, subject, 5)), reason);
    }
}
