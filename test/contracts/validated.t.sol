// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

contract ValidatedTest is Steps {
    function test_WhenAllCallInTime_PaysEveryOwner() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Settled);

        eq(owedTo(provider, terms), PRICE, "the provider's price");
        eq(owedTo(validator(0), terms), FEE, "the validator's fee");
        eq(owedTo(requester, terms), 0, "nothing comes back");
        eq(address(escrow).balance, PRICE + FEE, "the escrow holds what it owes");
        eq(registry.offerOf(provider).lockedStake, 0, "the provider's stake is free");
        eq(registry.offerOf(validator(0)).lockedStake, 0, "the validator's stake is free");
        eq(rating.ratingOf(provider, Role.Provider).settled, 1, "settled jobs of the provider");
        eq(rating.ratingOf(validator(0), Role.Validator).settled, 1, "settled jobs of the validator");

        uint256 before = provider.balance;
        vm.prank(provider);
        escrow.withdraw(address(0));
        eq(provider.balance - before, PRICE, "paid out");
    }

    function test_WhenThreeValidate_PassesWithAMajority() public {
        IJobEscrow.Terms memory terms = termsOf(3);
        _judgeBy(terms, honest(), wrong(), honest());
        yes(stateOf(terms) == State.Validated, "validated");

        claim(terms);
        eq(owedTo(validator(1), terms), FEE, "a dissenter is paid for its work");
        eq(registry.offerOf(validator(1)).stake, STAKE, "a dissenter keeps its stake");
    }

    function test_WhenThreeValidate_FailsAgainstAMajority() public {
        IJobEscrow.Terms memory terms = termsOf(3);
        _judgeBy(terms, wrong(), honest(), wrong());
        yes(stateOf(terms) == State.Rejected, "rejected");
    }

    function test_WhenThreeValidate_IsInconclusiveWithoutAMajority() public {
        IJobEscrow.Terms memory terms = termsOf(3);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        reveal(terms, validator(0), honest());
        passDeadline(terms);
        escrow.conclude(terms);
        yes(stateOf(terms) == State.Inconclusive, "one of three is no majority");

        settle(terms, requester);
        eq(owedTo(requester, terms), PRICE + 2 * FEE + VALIDATOR_STAKE, "refunded but for the work done");
        eq(owedTo(validator(0), terms), FEE, "who revealed is paid");
        eq(registry.offerOf(validator(1)).stake, STAKE - VALIDATOR_STAKE, "who hid is slashed");
        eq(registry.offerOf(provider).stake, STAKE, "the provider is not");
    }

    function test_RevertWhen_MeasurementsAreRevealedWhileSomebodyMayCommit() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        bytes32 key = keyCommitmentOf(terms);

        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_StillCommitting.selector);
        escrow.disclose(terms, honest(), key);
        vm.prank(validator(0));
        vm.expectPartialRevert(IJobEscrow.JobEscrow_StillCommitting.selector);
        escrow.reveal(terms, honest(), honest(), key);
    }

    function test_RevertWhen_AnotherMeasurementIsOpened() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commit(terms, validator(0), wrong());
        bytes32 key = keyCommitmentOf(terms);

        vm.prank(validator(0));
        vm.expectPartialRevert(IJobEscrow.JobEscrow_CommitmentMismatch.selector);
        escrow.reveal(terms, honest(), honest(), key);
    }

    function test_RevertWhen_TheProvidersMeasurementIsForged() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commit(terms, validator(0), wrong());
        bytes32 key = keyCommitmentOf(terms);

        vm.prank(validator(0));
        vm.expectPartialRevert(IJobEscrow.JobEscrow_CommitmentMismatch.selector);
        escrow.reveal(terms, wrong(), wrong(), key);
    }

    function test_RevertWhen_ACommitmentWasCopied() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        bytes32 commitment = commitmentOf(terms, validator(0), honest());
        vm.prank(validator(0));
        escrow.commit(terms, commitment);
        vm.prank(validator(1));
        escrow.commit(terms, commitment);
        reveal(terms, validator(0), honest());

        bytes32 key = keyCommitmentOf(terms);
        vm.prank(validator(1));
        vm.expectPartialRevert(IJobEscrow.JobEscrow_CommitmentMismatch.selector);
        escrow.reveal(terms, honest(), honest(), key);
    }

    function test_WhenValidatorsRevealAlone_CountsThemOnceTheProviderDiscloses() public {
        IJobEscrow.Terms memory terms = termsOf(3);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        revealAlone(terms, validator(0), honest());
        revealAlone(terms, validator(1), honest());
        disclose(terms);
        eq(escrow.job(escrow.jobIdOf(terms)).passes, 2, "votes that waited");
        revealAlone(terms, validator(2), honest());

        yes(stateOf(terms) == State.Validated, "validated");
        eq(escrow.job(escrow.jobIdOf(terms)).passes, 3, "all votes");
    }

    function test_WhenOneRevealsAlone_TheNextRevealCountsBoth() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        revealAlone(terms, validator(0), honest());
        reveal(terms, validator(1), honest());

        yes(stateOf(terms) == State.Validated, "validated");
        yes(escrow.seatOf(escrow.jobIdOf(terms), validator(0)) == SeatStatus.Passed, "the vote that waited");
    }

    function test_WhenTheProviderHidesItsMeasurement_ItFails() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        revealAlone(terms, validator(0), honest());
        passDeadline(terms);
        escrow.conclude(terms);
        yes(stateOf(terms) == State.Rejected, "rejected");

        settle(terms, requester);
        eq(rating.ratingOf(provider, Role.Provider).hid, 1, "counted as hid");
        eq(owedTo(requester, terms), PRICE + PROVIDER_STAKE / 2, "refund and half of the stake");
        eq(owedTo(validator(0), terms), FEE, "the validator is paid");
    }

    function test_RevertWhen_TheKeyDoesNotMatch() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validated);
        bytes32 commitment = commitmentOf(terms, provider, honest());
        address[] memory panel = panelOf(terms);

        vm.prank(provider);
        vm.expectPartialRevert(IJobEscrow.JobEscrow_KeyMismatch.selector);
        escrow.claim(terms, keccak256("another key"), commitment, panel);
    }

    function _judgeBy(
        IJobEscrow.Terms memory terms,
        IJobEscrow.Measurement memory first,
        IJobEscrow.Measurement memory second,
        IJobEscrow.Measurement memory third
    ) private {
        reach(terms, State.Validating);
        commit(terms, validator(0), first);
        commit(terms, validator(1), second);
        commit(terms, validator(2), third);
        reveal(terms, validator(0), first);
        reveal(terms, validator(1), second);
        reveal(terms, validator(2), third);
    }
}
