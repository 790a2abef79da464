// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../contracts/interfaces/IJob.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

/// @notice Failures of other markets' escrows, reproduced by the public calls. See peers.tree.
contract PeersTest is Steps {
    function test_Lilypad_WhenTheProviderVanishes_TheRequesterIsRefunded() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        passDeadline(terms);
        expire(terms, requester);
        uint256 before = requester.balance;
        vm.prank(requester);
        escrow.withdraw(requester, address(0));
        assertEq(requester.balance - before, PRICE + FEE + PROVIDER_STAKE / 10, "paid out");
    }

    function test_Lilypad_WhenTheRequesterVanishes_TheProviderIsPaid() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        drawAlone(terms);
        decide(terms, honest());
        claim(terms);
        passDeadline(terms);
        settle(terms, provider);
        uint256 before = provider.balance;
        vm.prank(provider);
        escrow.withdraw(provider, address(0));
        assertEq(provider.balance - before, PRICE, "paid");
        assertEq(registry.offerOf(provider).stake, STAKE, "and not slashed");
    }

    function test_Lilypad_WhenTheRequesterIsLate_TheProviderIsStillPaid() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline + 1);
        address[] memory none = new address[](0);
        bytes memory data = abi.encodeCall(escrow.appoint, (terms, appointmentsOf(1)));
        assertReverts(requester, data, tooLate(terms, deadline));
        data = abi.encodeCall(escrow.expire, (terms, none));
        assertReverts(requester, data, tooEarly(terms, deadline + WINDOW));
        assertReverts(requester, abi.encodeCall(escrow.settle, (terms, none)), invalidStatus(terms));
        assertReverts(requester, abi.encodeCall(escrow.cancel, (terms)), invalidStatus(terms));
        drawAsProvider(terms);

        // Windows begin with their step: the drawn validator has a whole one.
        assertEq(jobOf(terms).deadline, vm.getBlockTimestamp() + WINDOW, "a whole window");
        decide(terms, honest());
        claim(terms);
        passDeadline(terms);
        settle(terms, provider);
        assertEq(owedTo(provider, terms), PRICE, "the work is paid");
    }

    function test_Lilypad_WhenAStepTimesOut_EachPartyGetsItsOwnMoneyBack() public {
        IJob.Terms memory unaccepted = termsOf(2);
        reach(unaccepted, State.Posted);
        passDeadline(unaccepted);
        escrow.cancel(unaccepted);
        assertEq(owedTo(requester, unaccepted), PRICE + 2 * FEE, "the requester's own money");
        assertEq(owedTo(provider, unaccepted), 0, "nothing for the provider");
        assertEq(registry.offerOf(provider).lockedStake, 0, "whose stake was not locked");
    }

    function test_Lilypad_NeitherPartyKnowsTheValidatorsBeforeTheDraw() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        // The same job at the same second draws different validators for different seeds of the provider. The requester
        // reveals its seed before it knows the provider's, which the provider can no longer change.
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
        assertTrue(differs, "both seeds decide");

        submit(terms);
        drawAlone(terms);
        dismissAll(terms);
        draw(terms);
        dismissAll(terms);
        passDeadline(terms);
        settle(terms, provider);
        assertEq(lostBy(provider), 0, "a validator's failure costs the provider nothing");
    }

    function test_IExec_WhatWasLockedForAJobPaysIt() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validated);
        // The requester has no money outside the job.
        vm.deal(requester, 0);
        assertEq(escrow.owed(requester, address(0)), 0, "and nothing owed");
        claim(terms);
        vm.prank(provider);
        assertEq(escrow.withdraw(provider, address(0)), PRICE, "paid from the job's own money");
    }

    function test_IExec_AMissedDeadlineCompensatesTheRequester_AndOverruledValidatorsPay() public {
        IJob.Terms memory late = termsOf(1);
        reach(late, State.Validated);
        passDeadline(late);
        expire(late, requester);
        assertEq(owedTo(requester, late), PRICE + PROVIDER_STAKE / 10, "the requester gets a tenth");
        assertEq(registry.burnt(), PROVIDER_STAKE - PROVIDER_STAKE / 10, "the rest is burnt");

        IJob.Terms memory slandered = termsOf(1);
        reach(slandered, State.Rejected);
        appeal(slandered);
        draw(slandered);
        decide(slandered, honest());
        claim(slandered);
        assertEq(lostBy(validator(0)), VALIDATOR_STAKE, "an overruled dissenter is slashed");
    }

    function test_ERC8004_AScoreNeedsAFinalJob_AndIsGivenOnce() public {
        IJob.Terms memory terms = termsOf(1);
        _assertReverts(terms, requester, provider, invalidStatus(terms));
        reach(terms, State.Validated);
        _assertReverts(terms, requester, provider, invalidStatus(terms));

        claim(terms);
        _assertReverts(terms, validator(3), provider, notParty(terms, validator(3)));
        _assertReverts(terms, requester, validator(3), wrongSeat(terms, validator(3)));
        _rate(terms, requester, provider);
        _rate(terms, requester, validator(0));
        _rate(terms, provider, requester);
        _assertReverts(terms, requester, provider, alreadyRated(terms, requester));
        _assertReverts(terms, requester, validator(0), alreadyRated(terms, requester));
        _assertReverts(terms, provider, requester, alreadyRated(terms, provider));
        assertEq(rating.ratingOf(provider, Role.Provider).count, 1, "one score");
        assertEq(rating.ratingOf(provider, Role.Provider).sum, 4, "as given");
    }

    function _rate(IJob.Terms memory terms, address by, address subject) private {
        vm.prank(by);
        escrow.rate(terms, subject, 4);
    }

    function _assertReverts(IJob.Terms memory terms, address by, address subject, bytes memory reason) private {
        assertReverts(by, abi.encodeCall(escrow.rate, (terms, subject, 5)), reason);
    }
}
