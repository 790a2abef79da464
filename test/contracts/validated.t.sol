// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../contracts/interfaces/IJob.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

/// @notice See validated.tree.
contract ValidatedTest is Steps {
    function test_WhenAllCallInTime_EveryPartyIsPaid() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Settled);

        assertEq(owedTo(provider, terms), PRICE, "the provider's price");
        assertEq(owedTo(validator(0), terms), FEE, "the validator's fee");
        assertEq(owedTo(requester, terms), 0, "nothing comes back");
        assertEq(address(escrow).balance, PRICE + FEE, "the escrow holds what it owes");
        assertEq(registry.offerOf(provider).lockedStake, 0, "the provider's stake is unlocked");
        assertEq(registry.offerOf(validator(0)).lockedStake, 0, "the validator's stake is unlocked");
        assertEq(rating.ratingOf(provider, Role.Provider).settled, 1, "settled jobs of the provider");
        assertEq(rating.ratingOf(validator(0), Role.Validator).settled, 1, "settled jobs of the validator");

        uint256 before = provider.balance;
        vm.prank(provider);
        escrow.withdraw(provider, address(0));
        assertEq(provider.balance - before, PRICE, "paid out");
    }

    function test_WhenThreeValidate_AMajorityPasses() public {
        IJob.Terms memory terms = termsOf(3);
        _judgeBy(terms, honest(), wrong(), honest());
        assertTrue(stateOf(terms) == State.Validated, "validated");

        claim(terms);
        assertEq(owedTo(validator(1), terms), FEE, "a dissenter is paid for its work");
        assertEq(registry.offerOf(validator(1)).stake, STAKE, "a dissenter keeps its stake");
    }

    function test_WhenThreeValidate_AMajorityFails() public {
        IJob.Terms memory terms = termsOf(3);
        _judgeBy(terms, wrong(), honest(), wrong());
        assertTrue(stateOf(terms) == State.Rejected, "rejected");
    }

    function test_WhenThreeValidate_NoMajorityIsInconclusive() public {
        IJob.Terms memory terms = termsOf(3);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        reveal(terms, validator(0), honest());
        passDeadline(terms);
        conclude(terms);
        assertTrue(stateOf(terms) == State.Inconclusive, "one of three is no majority");

        passDeadline(terms);
        settle(terms, requester);
        assertEq(owedTo(requester, terms), PRICE + 2 * FEE, "refunded without the fee that was earned");
        assertEq(owedTo(validator(0), terms), FEE, "the validator that revealed is paid");
        assertEq(lostBy(validator(1)), VALIDATOR_STAKE, "the validator that hid is slashed");
        assertEq(registry.burnt(), 2 * VALIDATOR_STAKE, "both stakes are burnt");
        assertEq(lostBy(provider), 0, "the provider is not");
    }

    function test_RevertWhen_MeasurementsAreRevealedWhileAValidatorMayCommit() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        bytes32 secrets = secretsOf(terms);
        _assertRevertsAll(terms, secrets);
        // The same while a seat is to be drawn.
        abstain(terms, validator(1));
        _assertRevertsAll(terms, secrets);
    }

    function test_RevertWhen_AnotherMeasurementIsOpened() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commit(terms, validator(0), wrong());
        bytes memory data = abi.encodeCall(escrow.reveal, (terms, honest(), honest(), secretsOf(terms)));
        assertReverts(validator(0), data, commitmentMismatch(terms, validator(0)));
    }

    function test_RevertWhen_TheProvidersMeasurementIsForged() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commit(terms, validator(0), wrong());
        bytes memory data = abi.encodeCall(escrow.reveal, (terms, wrong(), wrong(), secretsOf(terms)));
        assertReverts(validator(0), data, commitmentMismatch(terms, provider));
        data = abi.encodeCall(escrow.disclose, (terms, honest(), keyCommitmentOf(terms)));
        assertReverts(provider, data, commitmentMismatch(terms, provider));
    }

    function test_RevertWhen_ACommitmentWasCopied() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        bytes32 commitment = commitmentOf(terms, validator(0), honest());
        vm.prank(validator(0));
        escrow.commit(terms, commitment);
        vm.prank(validator(1));
        escrow.commit(terms, commitment);
        reveal(terms, validator(0), honest());
        bytes memory data = abi.encodeCall(escrow.reveal, (terms, honest(), honest(), secretsOf(terms)));
        assertReverts(validator(1), data, commitmentMismatch(terms, validator(1)));
    }

    function test_RevertWhen_TheProvidersMeasurementIsDisclosedTwice() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        disclose(terms);
        bytes memory data = abi.encodeCall(escrow.disclose, (terms, honest(), secretsOf(terms)));
        bytes4 selector = IJob.JobEscrow_AlreadyDisclosed.selector;
        assertReverts(provider, data, abi.encodeWithSelector(selector, escrow.jobIdOf(terms)));
    }

    function test_WhenValidatorsRevealAlone_TheirVotesCountOnceTheProviderDiscloses() public {
        IJob.Terms memory terms = termsOf(3);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        revealAlone(terms, validator(0), honest());
        revealAlone(terms, validator(1), honest());
        disclose(terms);
        assertEq(jobOf(terms).passes, 2, "votes that waited");
        revealAlone(terms, validator(2), honest());

        assertTrue(stateOf(terms) == State.Validated, "validated");
        assertEq(jobOf(terms).passes, 3, "all votes");
    }

    function test_WhenOneRevealsAlone_TheNextRevealCountsBoth() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        revealAlone(terms, validator(0), honest());
        reveal(terms, validator(1), honest());

        assertTrue(stateOf(terms) == State.Validated, "validated");
        assertTrue(escrow.seatOf(escrow.jobIdOf(terms), validator(0)) == SeatStatus.Passed, "the vote that waited");
    }

    function test_WhenAValidatorRevealsInTheLastSecond_TheProviderHasAWindowToDisclose() public {
        IJob.Terms memory terms = _revealedLate();
        uint256 deadline = jobOf(terms).deadline + WINDOW;
        vm.warp(deadline);
        assertReverts(requester, abi.encodeCall(escrow.conclude, (terms)), tooEarly(terms, deadline));
        bytes memory late = abi.encodeCall(escrow.revealAlone, (terms, honest()));
        assertReverts(validator(1), late, tooLate(terms, deadline - WINDOW));
        disclose(terms);
        conclude(terms);
        assertTrue(stateOf(terms) == State.Inconclusive, "judged by the votes revealed");
        assertEq(jobOf(terms).passes, 1, "the vote that waited");
    }

    function test_WhenTheProviderDoesNotDiscloseInThatWindow_ItFails() public {
        IJob.Terms memory terms = _revealedLate();
        uint256 deadline = jobOf(terms).deadline + WINDOW;
        vm.warp(deadline + 1);
        bytes memory data = abi.encodeCall(escrow.disclose, (terms, honest(), secretsOf(terms)));
        assertReverts(provider, data, tooLate(terms, deadline));
        conclude(terms);
        assertTrue(stateOf(terms) == State.Rejected, "rejected");
        settle(terms, requester);
        assertEq(rating.ratingOf(provider, Role.Provider).hid, 1, "counted as hid");
        assertEq(owedTo(requester, terms), PRICE + FEE + PROVIDER_STAKE / 10, "refund and a tenth");
        assertEq(owedTo(validator(0), terms), FEE, "the validator is paid");
        assertEq(lostBy(validator(1)), VALIDATOR_STAKE, "the one that hid is slashed");
    }

    function test_WhenNoValidatorRevealed_TheJobIsInconclusive() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline + 1);
        bytes memory data = abi.encodeCall(escrow.disclose, (terms, honest(), secretsOf(terms)));
        assertReverts(provider, data, tooLate(terms, deadline));
        conclude(terms);
        assertTrue(stateOf(terms) == State.Inconclusive, "inconclusive");
    }

    function test_RevertWhen_TheKeyDoesNotMatch() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Validated);
        bytes32 commitment = commitmentOf(terms, provider, honest());
        bytes32 tip = tipOf(PROVIDERS_SECRET);
        _assertRevertsKey(terms, keccak256("another key"), commitment, tip);
        _assertRevertsKey(terms, BLINDED_KEY, keccak256("another measurement"), tip);
        _assertRevertsKey(terms, BLINDED_KEY, commitment, keccak256("another tip"));
        claim(terms);
        assertTrue(stateOf(terms) == State.Settled, "settled with the key that matches");
    }

    /// @dev One of two validators reveals alone in the last second; the other hides.
    function _revealedLate() private returns (IJob.Terms memory terms) {
        terms = termsOf(2);
        reach(terms, State.Validating);
        commitAll(terms, honest());
        vm.warp(jobOf(terms).deadline);
        revealAlone(terms, validator(0), honest());
    }

    function _assertRevertsKey(IJob.Terms memory terms, bytes32 key, bytes32 commitment, bytes32 tip) private {
        bytes memory data = abi.encodeCall(escrow.claim, (terms, key, commitment, tip, panelOf(terms)));
        bytes memory reason =
            abi.encodeWithSelector(IJob.JobEscrow_KeyMismatch.selector, escrow.jobIdOf(terms));
        assertReverts(provider, data, reason);
    }

    function _assertRevertsAll(IJob.Terms memory terms, bytes32 secrets) private {
        bytes memory reason = stillCommitting(terms);
        assertReverts(provider, abi.encodeCall(escrow.disclose, (terms, honest(), secrets)), reason);
        assertReverts(validator(0), abi.encodeCall(escrow.reveal, (terms, honest(), honest(), secrets)), reason);
        assertReverts(validator(0), abi.encodeCall(escrow.revealAlone, (terms, honest())), reason);
    }

    function _judgeBy(
        IJob.Terms memory terms,
        IJob.Measurement memory first,
        IJob.Measurement memory second,
        IJob.Measurement memory third
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
