// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FederatedState, IFederated, PanelStatus, Standing} from "../../../contracts/interfaces/IFederated.sol";
import {FederatedSteps} from "../support/FederatedSteps.sol";

/// @notice See disputes.tree. In each test the seats are right unless it says otherwise.
contract FederatedDisputesTest is FederatedSteps {
    bytes32 private constant OTHER = keccak256("what the panel found");
    uint256 private constant DEPOSIT = ROUND_PRICE / 2;
    uint256 private constant PANEL_FEES = 3 * SEAT_FEE;

    // ── Challenge

    function test_WhenThePanelFindsOtherwise_TheClosingIsVoidAndItsSignersAreSlashed() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        close(terms);
        _dispute(terms, providers[1], 2, OTHER);
        concludeChallenge(terms, 2);
        assertTrue(stateOf(terms) == FederatedState.Ended, "ended");
        assertEq(jobOf(terms).closed, 1, "the first round stays closed");
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(lostBy(seatsOf(terms)[i]), SEAT_STAKE, "a signer");
        }
        assertEq(owedTo(providers[1]), DEPOSIT + PANEL_FEES, "the bond comes back");
        assertEq(owedTo(requester), 2 * (ROUND_PRICE + 3 * SEAT_FEE) - PANEL_FEES, "two rounds, less the panel");
        _assertPanelPaid(terms, 3);
        vm.warp(jobOf(terms).deadline + 1);
        claim(terms, providers[0], 1);
        assertEq(owedTo(providers[0]), ROUND_PRICE / 4, "the first round");
        _assertSolvent(terms);
    }

    function test_WhenThePanelConfirms_TheDepositIsBurntAndTheJobGoesOn() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        _disputeHonestly(terms, requester, 1);
        concludeChallenge(terms, 1);
        assertTrue(stateOf(terms) == FederatedState.Running, "running");
        assertEq(owedTo(address(0)), DEPOSIT, "burnt");
        assertEq(owedTo(requester), 0, "the fees are spent");
        assertEq(jobOf(terms).deadline, vm.getBlockTimestamp() + ROUND, "the open round has its time again");
        close(terms);
        close(terms);
        vm.warp(jobOf(terms).deadline + 1);
        claim(terms, providers[0], 3);
        _assertSolvent(terms);
    }

    function test_WhenThePanelConfirmsAnEndedJob_ItStaysEnded() public {
        IFederated.Terms memory terms = run(1);
        for (uint256 i = 0; i < ROUNDS; ++i) {
            close(terms);
        }
        _disputeHonestly(terms, providers[0], ROUNDS);
        concludeChallenge(terms, ROUNDS);
        assertTrue(stateOf(terms) == FederatedState.Ended, "ended");
        assertEq(jobOf(terms).deadline, vm.getBlockTimestamp() + DISPUTE, "and can be disputed for a window more");
        _assertSolvent(terms);
    }

    function test_WhenTheLastClosingOfAnEndedJobIsVoid_ItsRoundGoesBack() public {
        IFederated.Terms memory terms = run(1);
        for (uint256 i = 0; i < ROUNDS; ++i) {
            close(terms);
        }
        _dispute(terms, requester, ROUNDS, OTHER);
        concludeChallenge(terms, ROUNDS);
        uint256 sum = ROUND_PRICE + SEAT_FEE;
        assertEq(owedTo(requester), sum + DEPOSIT, "a round, in which are the panel's fees, and the deposit");
        _assertSolvent(terms);
    }

    function test_WhenAnOlderClosingIsVoid_ThoseAfterItAreVoidToo() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        close(terms);
        _dispute(terms, seatsOf(terms)[0], 1, OTHER);
        concludeChallenge(terms, 1);
        assertEq(jobOf(terms).closed, 0, "none");
        assertEq(uint256(federation.tipOf(federation.jobIdOf(terms))), 0, "no tip");
        assertEq(owedTo(requester), lockedBy(terms) - PANEL_FEES, "all, less the panel");
        _assertSolvent(terms);
    }

    function test_WhenThePanelDisagrees_TheClosingStandsAndTheDepositComesBack() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        challenge(terms, providers[0], 1);
        empanel(terms, address(0));
        address[] memory panel = disputeOf(terms, address(0)).panel;
        for (uint256 i = 0; i < 3; ++i) {
            commitFinding(terms, address(0), panel[i], keccak256(abi.encode(i)));
        }
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(panel[i]);
            federation.revealFinding(terms, address(0), keccak256(abi.encode(i)), "salt");
        }
        concludeChallenge(terms, 1);
        assertTrue(stateOf(terms) == FederatedState.Running, "running");
        assertEq(owedTo(providers[0]), DEPOSIT, "the deposit");
        assertEq(jobOf(terms).confirmed, 0, "nothing is confirmed");
        _assertSolvent(terms);
    }

    function test_WhenNoValidatorAnswers_TheClosingStandsAndTheFeesAreBurnt() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        challenge(terms, providers[0], 1);
        empanel(terms, address(0));
        vm.warp(disputeOf(terms, address(0)).deadline + 1);
        concludeChallenge(terms, 1);
        assertTrue(stateOf(terms) == FederatedState.Running, "running");
        assertEq(owedTo(providers[0]), DEPOSIT, "the deposit");
        assertEq(owedTo(address(0)), PANEL_FEES, "the fees");
        _assertSolvent(terms);
    }

    function test_WhenAValidatorHidesItsFinding_ItsStakeIsBurntAndTheMajorityCounts() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        challenge(terms, providers[0], 1);
        empanel(terms, address(0));
        address[] memory panel = disputeOf(terms, address(0)).panel;
        commitFindings(terms, address(0), OTHER);
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(panel[i]);
            federation.revealFinding(terms, address(0), OTHER, "salt");
        }
        uint256 deadline = disputeOf(terms, address(0)).deadline;
        bytes memory data = abi.encodeCall(federation.concludeChallenge, (terms, closingsFrom(terms, 1)));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_TooEarly.selector, deadline));
        vm.warp(deadline + 1);
        concludeChallenge(terms, 1);
        assertEq(lostBy(panel[2]), SEAT_STAKE, "it hid");
        assertEq(jobOf(terms).closed, 0, "void");
        _assertSolvent(terms);
    }

    function test_WhenOneValidatorDiffers_ItIsNotPaid() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        challenge(terms, providers[0], 1);
        empanel(terms, address(0));
        address[] memory panel = disputeOf(terms, address(0)).panel;
        bytes32 honest = federation.findingOf(closingsFrom(terms, 1)[0].closing);
        for (uint256 i = 0; i < 3; ++i) {
            commitFinding(terms, address(0), panel[i], i == 1 ? OTHER : honest);
        }
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(panel[i]);
            federation.revealFinding(terms, address(0), i == 1 ? OTHER : honest, "salt");
        }
        concludeChallenge(terms, 1);
        assertEq(owedTo(panel[0]), SEAT_FEE, "paid");
        assertEq(owedTo(panel[1]), 0, "not paid");
        assertEq(lostBy(panel[1]), 0, "and not slashed");
        assertEq(owedTo(providers[0]), SEAT_FEE, "its fee goes back");
        _assertSolvent(terms);
    }

    function test_WhenTheDrawOfAPanelIsForgotten_AnotherBlockIsFixed() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        challenge(terms, providers[0], 1);
        uint256 first = disputeOf(terms, address(0)).drawBlock;
        vm.roll(first + 257);
        federation.empanel(terms, address(0));
        assertEq(disputeOf(terms, address(0)).drawBlock, first + 259, "another block");
        assertEq(disputeOf(terms, address(0)).panel.length, 0, "nobody yet");
        empanel(terms, address(0));
        assertEq(disputeOf(terms, address(0)).panel.length, 3, "drawn");
    }

    function test_WhenDrawn_ThePanelHasNoPartyAndNoDoubles() public {
        IFederated.Terms memory terms = run(7);
        close(terms);
        challenge(terms, providers[0], 1);
        empanel(terms, address(0));
        address[] memory panel = disputeOf(terms, address(0)).panel;
        assertEq(panel.length, 3, "three");
        for (uint256 i = 0; i < 3; ++i) {
            assertTrue(standingOf(terms, panel[i]) == Standing.None, "no party");
            assertTrue(panel[i] != panel[(i + 1) % 3], "no double");
        }
    }

    function test_WhenARequesterClosedFalsely_ItsProvidersShareTheRound() public {
        IFederated.Terms memory terms = run(0);
        assertAll(terms);
        close(terms);
        _dispute(terms, providers[2], 1, OTHER);
        concludeChallenge(terms, 1);
        releaseAll(terms);
        assertEq(owedTo(providers[0]), ROUND_PRICE / 4, "a quarter");
        assertEq(owedTo(requester), 2 * ROUND_PRICE - PANEL_FEES, "the other rounds, less the panel");
        _assertSolvent(terms);
    }

    function test_WhenSeatsClosedFalsely_ThoseThatAssertedShareTheRound() public {
        IFederated.Terms memory terms = run(3);
        assertAll(terms);
        close(terms);
        _dispute(terms, providers[2], 1, OTHER);
        concludeChallenge(terms, 1);
        release(terms, providers[0]);
        assertEq(owedTo(providers[0]), ROUND_PRICE / 4, "a quarter");
        _assertSolvent(terms);
    }

    function test_WhenADisputeTakesTime_OtherClosingsCanStillBeChallenged() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        close(terms);
        _disputeHonestly(terms, requester, 2);
        vm.warp(vm.getBlockTimestamp() + DISPUTE);
        concludeChallenge(terms, 2);
        vm.warp(vm.getBlockTimestamp() + DISPUTE);
        _dispute(terms, providers[0], 1, OTHER);
        concludeChallenge(terms, 1);
        assertEq(jobOf(terms).closed, 0, "void");
        _assertSolvent(terms);
    }

    function test_RevertWhen_AConfirmedClosingIsChallenged() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        _disputeHonestly(terms, requester, 1);
        concludeChallenge(terms, 1);
        _assertUnchallengeable(terms, requester, refusal(terms, IFederated.FederatedEscrow_WrongRound.selector, 1));
    }

    function test_RevertWhen_AClosingThatWasClaimedFromIsChallenged() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        vm.warp(vm.getBlockTimestamp() + DISPUTE + 1);
        claim(terms, providers[0], 1);
        close(terms);
        _disputeHonestly(terms, requester, 2);
        concludeChallenge(terms, 2);
        _assertUnchallengeable(terms, requester, refusal(terms, IFederated.FederatedEscrow_WrongRound.selector, 1));
    }

    function test_RevertWhen_ChallengedLate() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        uint256 until = vm.getBlockTimestamp() + DISPUTE;
        vm.warp(until + 1);
        _assertUnchallengeable(
            terms, requester, refusal(terms, IFederated.FederatedEscrow_TooLate.selector, until)
        );
    }

    function test_RevertWhen_AStrangerChallenges() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        address stranger = vm.addr(77);
        vm.deal(stranger, 10 ether);
        _assertUnchallengeable(
            terms, stranger, refusal(terms, IFederated.FederatedEscrow_NotParty.selector, stranger)
        );
    }

    function test_RevertWhen_CallsAreMadeDuringADispute() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        IFederated.Closing memory closing = closingOf(terms, "honest");
        bytes memory closes = abi.encodeCall(federation.close, (terms, closing, approvalsOf(terms, closing, 3)));
        challenge(terms, requester, 1);
        refuses(requester, closes, wrongState(terms));
        refuses(requester, abi.encodeCall(federation.stop, (terms)), wrongState(terms));
        vm.warp(vm.getBlockTimestamp() + 2 * ROUND);
        refuses(requester, abi.encodeCall(federation.expire, (terms)), wrongState(terms));
        _assertUnchallengeable(terms, requester, wrongState(terms));
        IFederated.Payout[] memory payouts = payoutsOf(terms, providers[0], 1);
        bytes memory claims = abi.encodeCall(federation.claim, (terms, payouts, closingsFrom(terms, 1)));
        refuses(requester, claims, wrongState(terms));
    }

    function test_RevertWhen_AFindingIsNotTheCommittedOne() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        challenge(terms, requester, 1);
        empanel(terms, address(0));
        commitFindings(terms, address(0), OTHER);
        address who = disputeOf(terms, address(0)).panel[0];
        bytes memory data = abi.encodeCall(federation.revealFinding, (terms, address(0), "another", "salt"));
        refuses(who, data, refusal(terms, IFederated.FederatedEscrow_CommitmentMismatch.selector, who));
    }

    function test_RevertWhen_AFindingIsRevealedBeforeAllHaveCommitted() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        challenge(terms, requester, 1);
        empanel(terms, address(0));
        address who = disputeOf(terms, address(0)).panel[0];
        commitFinding(terms, address(0), who, OTHER);
        bytes memory data = abi.encodeCall(federation.revealFinding, (terms, address(0), OTHER, "salt"));
        uint256 deadline = disputeOf(terms, address(0)).deadline;
        refuses(who, data, refusal(terms, IFederated.FederatedEscrow_TooEarly.selector, deadline));
        vm.warp(deadline + 1);
        vm.prank(who);
        federation.revealFinding(terms, address(0), OTHER, "salt");
        bytes32 id = federation.jobIdOf(terms);
        assertTrue(federation.panelSeatOf(id, address(0), who) == PanelStatus.Revealed, "after the deadline");
        concludeChallenge(terms, 1);
        assertTrue(stateOf(terms) == FederatedState.Running, "one of three is no majority");
    }

    function test_RevertWhen_AnAccountOutsideThePanelCommits() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        challenge(terms, requester, 1);
        empanel(terms, address(0));
        bytes memory data = abi.encodeCall(federation.commitFinding, (terms, address(0), OTHER));
        bytes4 selector = IFederated.FederatedEscrow_WrongPanelSeat.selector;
        bytes memory reason = abi.encodeWithSelector(
            selector, federation.jobIdOf(terms), providers[0], PanelStatus.None
        );
        refuses(providers[0], data, reason);
    }

    // ── Strike

    function test_WhenAStrikeIsNotAppealed_TheStakeIsBurntButATenth() public {
        IFederated.Terms memory terms = run(3);
        strike(terms, providers[0]);
        _finish(terms);
        vm.warp(jobOf(terms).deadline + 1);
        release(terms, providers[0]);
        assertEq(lostBy(providers[0]), PROVIDER_STAKE, "slashed");
        assertEq(owedTo(requester), PROVIDER_STAKE / 10, "a tenth");
        assertEq(registry.burnt(), PROVIDER_STAKE * 9 / 10, "the rest");
    }

    function test_WhenThePanelConfirmsTheStrike_TheStakeIsBurntButATenth() public {
        IFederated.Terms memory terms = run(3);
        strike(terms, providers[0]);
        _appeal(terms, providers[0], federation.GUILTY());
        assertTrue(standingOf(terms, providers[0]) == Standing.Condemned, "condemned");
        _finish(terms);
        releaseAll(terms);
        assertEq(lostBy(providers[0]), PROVIDER_STAKE, "slashed");
        _assertSolvent(terms);
    }

    function test_WhenThePanelClearsTheProvider_TheSeatsThatSignedAreSlashed() public {
        IFederated.Terms memory terms = run(3);
        strike(terms, providers[0]);
        _appeal(terms, providers[0], federation.CLEAR());
        assertTrue(standingOf(terms, providers[0]) == Standing.Enlisted, "cleared");
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(lostBy(seatsOf(terms)[i]), SEAT_STAKE, "a signer");
        }
        assertEq(owedTo(providers[0]), 0, "the fees are spent");
        vm.warp(jobOf(terms).deadline + 1);
        federation.expire(terms);
        vm.warp(jobOf(terms).deadline + 1);
        release(terms, providers[0]);
        assertEq(lostBy(providers[0]), 0, "its stake is free");
        _assertSolvent(terms);
    }

    function test_WhenThePanelOfAnAppealIsSilent_TheProviderIsCleared() public {
        IFederated.Terms memory terms = run(3);
        strike(terms, providers[0]);
        appeal(terms, providers[0]);
        empanel(terms, providers[0]);
        vm.warp(disputeOf(terms, providers[0]).deadline + 1);
        federation.concludeAppeal(terms, strikeOf(terms, providers[0]), seatsOf(terms));
        assertTrue(standingOf(terms, providers[0]) == Standing.Enlisted, "cleared");
        assertEq(lostBy(seatsOf(terms)[0]), 0, "no majority found the seats wrong");
        assertEq(owedTo(address(0)), PANEL_FEES, "the fees are burnt");
        _assertSolvent(terms);
    }

    function test_WhenAppealed_RoundsGoOn() public {
        IFederated.Terms memory terms = run(3);
        strike(terms, providers[0]);
        appeal(terms, providers[0]);
        close(terms);
        assertEq(jobOf(terms).closed, 1, "closed");
    }

    function test_RevertWhen_OneSeatStrikes() public {
        IFederated.Terms memory terms = run(1);
        IFederated.Strike memory found = strikeOf(terms, providers[0]);
        bytes memory data = abi.encodeCall(federation.strike, (terms, found, approvalsOf(terms, found)));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_WrongApprovals.selector));
    }

    function test_RevertWhen_AClearedStrikeIsBroughtAgain() public {
        IFederated.Terms memory terms = run(3);
        strike(terms, providers[0]);
        appeal(terms, providers[0]);
        empanel(terms, providers[0]);
        vm.warp(disputeOf(terms, providers[0]).deadline + 1);
        federation.concludeAppeal(terms, strikeOf(terms, providers[0]), seatsOf(terms));
        IFederated.Strike memory found = strikeOf(terms, providers[0]);
        bytes memory data = abi.encodeCall(federation.strike, (terms, found, approvalsOf(terms, found)));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_WrongStrike.selector));
    }

    function test_RevertWhen_AppealedLateOrByAnother() public {
        IFederated.Terms memory terms = run(3);
        strike(terms, providers[0]);
        IFederated.Strike memory found = strikeOf(terms, providers[0]);
        bytes memory data = abi.encodeCall(federation.appeal, (terms, found, seatsOf(terms)));
        refuses(providers[1], data, refusal(terms, IFederated.FederatedEscrow_NotParty.selector, providers[1]));
        uint256 until = vm.getBlockTimestamp() + DISPUTE;
        vm.warp(until + 1);
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_TooLate.selector, until));
    }

    function test_RevertWhen_AStruckStakeIsReleasedWithinTheWindow() public {
        IFederated.Terms memory terms = run(3);
        _finish(terms);
        vm.warp(jobOf(terms).deadline);
        strike(terms, providers[0]);
        uint256 until = vm.getBlockTimestamp() + DISPUTE;
        vm.warp(until);
        bytes memory data = abi.encodeCall(federation.release, (terms, only(providers[0])));
        bytes memory reason = refusal(terms, IFederated.FederatedEscrow_NothingToRelease.selector);
        refuses(requester, data, reason);
        appeal(terms, providers[0]);
        vm.warp(until + 1);
        refuses(requester, data, reason);
    }

    function test_RevertWhen_ASeatIsReleasedBeforeItsStrikeIsFinal() public {
        IFederated.Terms memory terms = run(3);
        _finish(terms);
        vm.warp(jobOf(terms).deadline);
        strike(terms, providers[0]);
        appeal(terms, providers[0]);
        vm.warp(vm.getBlockTimestamp() + 2 * DISPUTE);
        bytes memory data = abi.encodeCall(federation.release, (terms, seatsOf(terms)));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_NothingToRelease.selector));
        empanel(terms, providers[0]);
        decide(terms, providers[0], federation.CLEAR());
        federation.concludeAppeal(terms, strikeOf(terms, providers[0]), seatsOf(terms));
        assertEq(lostBy(seatsOf(terms)[0]), SEAT_STAKE, "it answers for it");
        _assertSolvent(terms);
    }

    function test_RevertWhen_StruckAfterDisputes() public {
        IFederated.Terms memory terms = run(3);
        _finish(terms);
        vm.warp(jobOf(terms).deadline + 1);
        IFederated.Strike memory found = strikeOf(terms, providers[0]);
        bytes memory data = abi.encodeCall(federation.strike, (terms, found, approvalsOf(terms, found)));
        refuses(requester, data, wrongState(terms));
    }

    // ── Internal

    /// @dev A challenge whose panel reveals `finding`; not concluded.
    function _dispute(IFederated.Terms memory terms, address who, uint256 round, bytes32 finding) private {
        challenge(terms, who, round);
        empanel(terms, address(0));
        decide(terms, address(0), finding);
    }

    function _disputeHonestly(IFederated.Terms memory terms, address who, uint256 round) private {
        _dispute(terms, who, round, federation.findingOf(closingsFrom(terms, round)[0].closing));
    }

    function _appeal(IFederated.Terms memory terms, address provider, bytes32 finding) private {
        appeal(terms, provider);
        empanel(terms, provider);
        decide(terms, provider, finding);
        federation.concludeAppeal(terms, strikeOf(terms, provider), seatsOf(terms));
    }

    function _finish(IFederated.Terms memory terms) private {
        for (uint256 i = 0; i < ROUNDS; ++i) {
            close(terms);
        }
    }

    function _assertUnchallengeable(IFederated.Terms memory terms, address who, bytes memory reason) private {
        bytes memory data = abi.encodeCall(federation.challenge, (terms, closingsFrom(terms, 1)));
        assertRevertsAt(address(federation), who, federation.challengeBondOf(terms), data, reason);
    }

    function _assertPanelPaid(IFederated.Terms memory terms, uint256 wanted) private view {
        uint256 paid = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (standingOf(terms, accounts[i]) == Standing.None) paid += owedTo(accounts[i]);
        }
        assertEq(paid, wanted * SEAT_FEE, "panel");
    }

    /// @dev What the contract holds is what it owes and what is unclaimed, to the unit; no stake stays locked but of
    /// those that can be released.
    function _assertSolvent(IFederated.Terms memory terms) private view {
        IFederated.Job memory job = jobOf(terms);
        uint256 owed = owedTo(requester) + owedTo(address(0));
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            owed += owedTo(providers[i]);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            owed += owedTo(accounts[i]);
        }
        uint256 rounds = job.state == FederatedState.Ended ? job.closed : terms.rounds;
        uint256 seats = job.state == FederatedState.Ended ? job.seated : terms.seats;
        uint256 held = rounds * (terms.roundPrice + seats * terms.seatFee) - federation.paidOf(federation.jobIdOf(terms));
        if (job.sharing != 0) held += job.sharing * (terms.roundPrice / job.asserted);
        assertEq(address(federation).balance, owed + held, "solvent");
    }
}
