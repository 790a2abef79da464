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
        conclude(terms);
        yes(stateOf(terms) == State.Inconclusive, "one of three is no majority");

        passDeadline(terms);
        settle(terms, requester);
        eq(owedTo(requester, terms), PRICE + 2 * FEE, "refunded but for the work done");
        eq(owedTo(validator(0), terms), FEE, "who revealed is paid");
        eq(lostBy(validator(1)), VALIDATOR_STAKE, "who hid is slashed");
        eq(registry.burnt(), 2 * VALIDATOR_STAKE, "to nobody's gain");
        eq(lostBy(provider), 0, "the provider is not");
    }

    function test_RevertWhen_MeasurementsAreRevealedWhileSomebodyMayCommit() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        bytes32 secrets = secretsOf(terms);
        _refusesAll(terms, secrets);
        // Nor while a seat is to be drawn.
        abstain(terms, validator(1));
        _refusesAll(terms, secrets);
    }

    function test_RevertWhen_AnotherMeasurementIsOpened() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commit(terms, validator(0), wrong());
        bytes memory data = abi.encodeCall(IJobEscrow.reveal, (terms, honest(), honest(), secretsOf(terms)));
        refuses(validator(0), data, commitmentMismatch(terms, validator(0)));
    }

    function test_RevertWhen_TheProvidersMeasurementIsForged() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commit(terms, validator(0), wrong());
        bytes memory data = abi.encodeCall(IJobEscrow.reveal, (terms, wrong(), wrong(), secretsOf(terms)));
        refuses(validator(0), data, commitmentMismatch(terms, provider));
        data = abi.encodeCall(IJobEscrow.disclose, (terms, honest(), keyCommitmentOf(terms)));
        refuses(provider, data, commitmentMismatch(terms, provider));
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
        bytes memory data = abi.encodeCall(IJobEscrow.reveal, (terms, honest(), honest(), secretsOf(terms)));
        refuses(validator(1), data, commitmentMismatch(terms, validator(1)));
    }

    function test_WhenValidatorsRevealAlone_CountsThemOnceTheProviderDiscloses() public {
        IJobEscrow.Terms memory terms = termsOf(3);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        revealAlone(terms, validator(0), honest());
        revealAlone(terms, validator(1), honest());
        disclose(terms);
        eq(jobOf(terms).passes, 2, "votes that waited");
        revealAlone(terms, validator(2), honest());

        yes(stateOf(terms) == State.Validated, "validated");
        eq(jobOf(terms).passes, 3, "all votes");
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

    function test_WhenAValidatorRevealsInTheLastSecond_TheProviderHasAWindowToAnswer() public {
        IJobEscrow.Terms memory terms = _revealedLate();
        uint256 deadline = jobOf(terms).deadline + WINDOW;
        vm.warp(deadline);
        refuses(requester, abi.encodeCall(IJobEscrow.conclude, (terms)), tooEarly(terms, deadline));
        bytes memory late = abi.encodeCall(IJobEscrow.revealAlone, (terms, honest()));
        refuses(validator(1), late, tooLate(terms, deadline - WINDOW));
        disclose(terms);
        conclude(terms);
        yes(stateOf(terms) == State.Inconclusive, "judged by what was revealed, at once");
        eq(jobOf(terms).passes, 1, "the vote that waited");
    }

    function test_WhenTheProviderDoesNotAnswerInThatWindow_ItFails() public {
        IJobEscrow.Terms memory terms = _revealedLate();
        uint256 deadline = jobOf(terms).deadline + WINDOW;
        vm.warp(deadline + 1);
        bytes memory data = abi.encodeCall(IJobEscrow.disclose, (terms, honest(), secretsOf(terms)));
        refuses(provider, data, tooLate(terms, deadline));
        conclude(terms);
        yes(stateOf(terms) == State.Rejected, "rejected");
        settle(terms, requester);
        eq(rating.ratingOf(provider, Role.Provider).hid, 1, "counted as hid");
        eq(owedTo(requester, terms), PRICE + FEE + PROVIDER_STAKE / 10, "refund and a tenth");
        eq(owedTo(validator(0), terms), FEE, "the validator is paid");
        eq(lostBy(validator(1)), VALIDATOR_STAKE, "the one that hid is slashed");
    }

    function test_WhenNobodyRevealed_TheProviderHasNothingToAnswer() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline + 1);
        bytes memory data = abi.encodeCall(IJobEscrow.disclose, (terms, honest(), secretsOf(terms)));
        refuses(provider, data, tooLate(terms, deadline));
        conclude(terms);
        yes(stateOf(terms) == State.Inconclusive, "no verdict, and no fault of the provider's");
    }

    function test_WhenTheKeyMatches_AnythingElseIsRefused() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Validated);
        bytes32 commitment = commitmentOf(terms, provider, honest());
        bytes32 tip = tipOf(PROVIDERS_SECRET);
        _refusesKey(terms, keccak256("another key"), commitment, tip);
        _refusesKey(terms, BLINDED_KEY, keccak256("another measurement"), tip);
        _refusesKey(terms, BLINDED_KEY, commitment, keccak256("another tip"));
        claim(terms);
        yes(stateOf(terms) == State.Settled, "the one committed to is taken");
    }

    /// @dev One of two reveals alone in the last second that it has; the other hides.
    function _revealedLate() private returns (IJobEscrow.Terms memory terms) {
        terms = termsOf(2);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        vm.warp(jobOf(terms).deadline);
        revealAlone(terms, validator(0), honest());
    }

    function _refusesKey(IJobEscrow.Terms memory terms, bytes32 key, bytes32 commitment, bytes32 tip) private {
        bytes memory data = abi.encodeCall(IJobEscrow.claim, (terms, key, commitment, tip, panelOf(terms)));
        bytes memory reason =
            abi.encodeWithSelector(IJobEscrow.JobEscrow_KeyMismatch.selector, escrow.jobIdOf(terms));
        refuses(provider, data, reason);
    }

    function _refusesAll(IJobEscrow.Terms memory terms, bytes32 secrets) private {
        bytes memory reason = stillCommitting(terms);
        refuses(provider, abi.encodeCall(IJobEscrow.disclose, (terms, honest(), secrets)), reason);
        refuses(validator(0), abi.encodeCall(IJobEscrow.reveal, (terms, honest(), honest(), secrets)), reason);
        refuses(validator(0), abi.encodeCall(IJobEscrow.revealAlone, (terms, honest())), reason);
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
