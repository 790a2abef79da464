// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FederatedState, IFederated, Standing} from "../../../contracts/interfaces/IFederated.sol";
import {IProviderRating, Role} from "../../../contracts/interfaces/IProviderRating.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {FederatedSteps} from "../support/FederatedSteps.sol";
import {PlainToken} from "../support/Tokens.sol";

/// @notice See rounds.tree.
contract FederatedRoundsTest is FederatedSteps {
    // ── The whole course

    function test_WithSeats_AllRoundsAreClosedAndPaid() public {
        _assertPaysAll(run(3));
    }

    function test_WithoutSeats_TheRequesterClosesAndAllRoundsArePaid() public {
        _assertPaysAll(run(0));
    }

    function testFuzz_WithAnyNumberOfSeats_AllIsPaid(uint8 seats) public {
        _assertPaysAll(run(1 + seats % 7));
    }

    function test_WithAToken_RoundsArePaidInIt() public {
        PlainToken token = new PlainToken();
        IFederated.Terms memory terms = federatedTerms(3);
        terms.token = address(token);
        token.mint(requester, lockedBy(terms));
        vm.prank(requester);
        token.approve(address(federation), lockedBy(terms));
        vm.prank(requester);
        federation.post(terms, "sealed");
        assertEq(token.balanceOf(address(federation)), lockedBy(terms), "locked");
        enlistAll(terms);
        begin(terms);
        seat(terms);
        close(terms);
        vm.prank(requester);
        federation.stop(terms);
        vm.warp(jobOf(terms).deadline + 1);
        federation.expire(terms);
        vm.warp(jobOf(terms).deadline + 1);
        claim(terms, providers[0], 1);
        address payee = vm.addr(9);
        vm.prank(providers[0]);
        registry.setPayee(providers[0], payee);
        bytes memory data = abi.encodeCall(federation.withdraw, (providers[0], address(token)));
        bytes4 selector = IProviderRegistry.ProviderRegistry_NotOwner.selector;
        refuses(payee, data, abi.encodeWithSelector(selector, providers[0], payee));
        vm.prank(providers[0]);
        federation.withdraw(providers[0], address(token));
        assertEq(token.balanceOf(payee), ROUND_PRICE / 4, "paid where the account says");
        vm.prank(requester);
        federation.withdraw(requester, address(token));
        assertEq(token.balanceOf(requester), lockedBy(terms) * 2 / 3, "two rounds go back");
        assertEq(owedTo(requester), 0, "no coin");
    }

    function test_WhenFewerThanSeatsAreInThePool_TheOthersFeesGoBack() public {
        IFederated.Terms memory terms = federatedTerms(7);
        terms.seatStake = 0.09 ether;
        for (uint256 i = 2; i < VALIDATORS; ++i) {
            address who = vm.addr(3000 + i);
            vm.prank(who);
            registry.requestWithdrawal(who, STAKE);
        }
        vm.warp(vm.getBlockTimestamp() + 1);
        terms.enlistBy = uint40(vm.getBlockTimestamp() + ROUND);
        post(terms);
        enlistAll(terms);
        begin(terms);
        seat(terms);
        assertEq(jobOf(terms).seated, 2, "two are left");
        for (uint256 i = 0; i < ROUNDS; ++i) {
            close(terms);
        }
        assertEq(owedTo(requester), uint256(ROUNDS) * 5 * SEAT_FEE, "five seats' fees");
    }

    function test_WhenThePoolIsEmpty_TheJobEndsAndTheMoneyGoesBack() public {
        IFederated.Terms memory terms = federatedTerms(2);
        terms.seatFee = 0;
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            address who = vm.addr(3000 + i);
            vm.prank(who);
            registry.requestWithdrawal(who, STAKE);
        }
        post(terms);
        enlistAll(terms);
        begin(terms);
        seat(terms);
        _assertGivenBack(terms);
    }

    // ── Post

    function test_RevertWhen_TermsAreImpossible() public {
        IFederated.Terms memory terms = federatedTerms(3);
        bytes memory reason = abi.encodeWithSelector(IFederated.FederatedEscrow_InvalidTerms.selector);
        terms.rounds = 0;
        _assertUnpostable(terms, reason);
        (terms.rounds, terms.least) = (1, 0);
        _assertUnpostable(terms, reason);
        (terms.least, terms.places) = (3, 2);
        _assertUnpostable(terms, reason);
        (terms.places, terms.seats) = (3, 8);
        _assertUnpostable(terms, reason);
        (terms.seats, terms.roundWindow) = (3, 299);
        _assertUnpostable(terms, reason);
        (terms.roundWindow, terms.disputeWindow) = (300, 299);
        _assertUnpostable(terms, reason);
        (terms.disputeWindow, terms.seatStake) = (300, uint96(POOL_STAKE + 1));
        _assertUnpostable(terms, reason);
        terms.seatStake = 0;
        post(terms);
        _assertUnpostable(terms, refusal(terms, IFederated.FederatedEscrow_AlreadyPosted.selector));
    }

    function test_RevertWhen_AnotherThanTheRequesterPosts() public {
        IFederated.Terms memory terms = federatedTerms(1);
        bytes memory data = abi.encodeCall(federation.post, (terms, ""));
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_NotParty.selector, providers[0]));
    }

    function test_RevertWhen_PaidAnotherSum() public {
        IFederated.Terms memory terms = federatedTerms(1);
        bytes memory data = abi.encodeCall(federation.post, (terms, ""));
        assertRevertsAt(address(federation), requester, 1, data, wrongPayment(1, lockedBy(terms)));
    }

    // ── Invite

    function test_WhenTheRequesterInvites_ProvidersAreToldAndNothingElseChanges() public {
        IFederated.Terms memory terms = federatedTerms(1);
        post(terms);
        bytes32 before = keccak256(abi.encode(jobOf(terms)));
        bytes memory longest = new bytes(4096);
        vm.expectEmit(address(federation));
        emit IFederated.Invited(federation.jobIdOf(terms), providers, longest);
        vm.prank(requester);
        federation.invite(terms, providers, longest);
        assertTrue(keccak256(abi.encode(jobOf(terms))) == before, "the job is as it was");
        assertTrue(standingOf(terms, providers[0]) == Standing.None, "nobody is enlisted");
        enlistAll(terms);
    }

    function test_RevertWhen_AnotherThanTheRequesterInvites() public {
        IFederated.Terms memory terms = federatedTerms(1);
        post(terms);
        bytes memory data = abi.encodeCall(federation.invite, (terms, providers, "sealed"));
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_NotParty.selector, providers[0]));
    }

    function test_RevertWhen_InvitedLate() public {
        IFederated.Terms memory terms = federatedTerms(1);
        post(terms);
        bytes memory data = abi.encodeCall(federation.invite, (terms, providers, "sealed"));
        vm.warp(terms.enlistBy + 1);
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_TooLate.selector, uint256(terms.enlistBy)));
    }

    function test_WhenTheRequesterInvitesSeatsWhileARoundIsOpen_TheyAreTold() public {
        IFederated.Terms memory terms = run(1);
        address[] memory seats = seatsOf(terms);
        vm.expectEmit(address(federation));
        emit IFederated.Invited(federation.jobIdOf(terms), seats, "sealed");
        vm.prank(requester);
        federation.invite(terms, seats, "sealed");
    }

    function test_RevertWhen_TheOpenRoundIsLate() public {
        IFederated.Terms memory terms = run(0);
        bytes memory data = abi.encodeCall(federation.invite, (terms, providers, "sealed"));
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline + 1);
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_TooLate.selector, deadline));
    }

    function test_RevertWhen_TheJobHasEnded() public {
        IFederated.Terms memory terms = run(0);
        vm.warp(jobOf(terms).deadline + 1);
        federation.expire(terms);
        bytes memory data = abi.encodeCall(federation.invite, (terms, providers, "sealed"));
        refuses(requester, data, wrongState(terms));
    }

    function test_RevertWhen_TheInvitationIsTooLong() public {
        IFederated.Terms memory terms = federatedTerms(1);
        post(terms);
        bytes memory data = abi.encodeCall(federation.invite, (terms, providers, new bytes(4097)));
        bytes4 selector = IFederated.FederatedEscrow_TooLong.selector;
        refuses(requester, data, abi.encodeWithSelector(selector, 4097, 4096));
    }

    // ── Enlist

    function test_RevertWhen_TheRequesterDidNotAdmitTheProvider() public {
        IFederated.Terms memory terms = federatedTerms(1);
        post(terms);
        bytes memory others = admissionOf(terms, providers[1]);
        bytes memory data = abi.encodeCall(federation.enlist, (terms, others));
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_NotAdmitted.selector, providers[0]));
    }

    function test_RevertWhen_EnlistedTwice() public {
        IFederated.Terms memory terms = federatedTerms(1);
        post(terms);
        enlist(terms, providers[0]);
        bytes memory data = abi.encodeCall(federation.enlist, (terms, admissionOf(terms, providers[0])));
        refuses(providers[0], data, wrongStanding(terms, providers[0]));
    }

    function test_RevertWhen_NoPlaceIsLeft() public {
        IFederated.Terms memory terms = federatedTerms(1);
        terms.places = 2;
        post(terms);
        enlist(terms, providers[0]);
        enlist(terms, providers[1]);
        bytes memory data = abi.encodeCall(federation.enlist, (terms, admissionOf(terms, providers[2])));
        refuses(providers[2], data, refusal(terms, IFederated.FederatedEscrow_WrongCount.selector, 2));
    }

    function test_RevertWhen_EnlistedLate() public {
        IFederated.Terms memory terms = federatedTerms(1);
        post(terms);
        bytes memory data = abi.encodeCall(federation.enlist, (terms, admissionOf(terms, providers[0])));
        vm.warp(terms.enlistBy + 1);
        refuses(
            providers[0], data, refusal(terms, IFederated.FederatedEscrow_TooLate.selector, uint256(terms.enlistBy))
        );
    }

    function test_RevertWhen_TheProviderHasTooLittleStake() public {
        IFederated.Terms memory terms = federatedTerms(1);
        terms.providerStake = STAKE + 1;
        post(terms);
        bytes memory data = abi.encodeCall(federation.enlist, (terms, admissionOf(terms, providers[0])));
        refuses(providers[0], data, insufficientStake(providers[0], STAKE, STAKE + 1));
    }

    function test_RevertWhen_TheRequesterEnlists() public {
        IFederated.Terms memory terms = federatedTerms(1);
        post(terms);
        bytes memory data = abi.encodeCall(federation.enlist, (terms, admissionOf(terms, requester)));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_NotParty.selector, requester));
    }

    // ── Begin and seat

    function test_RevertWhen_TooFewEnlisted() public {
        IFederated.Terms memory terms = federatedTerms(1);
        post(terms);
        enlist(terms, providers[0]);
        bytes memory data = abi.encodeCall(federation.begin, (terms));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_WrongCount.selector, 1));
    }

    function test_RevertWhen_AnotherThanTheRequesterBegins() public {
        IFederated.Terms memory terms = federatedTerms(1);
        post(terms);
        enlistAll(terms);
        bytes memory data = abi.encodeCall(federation.begin, (terms));
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_NotParty.selector, providers[0]));
    }

    function test_RevertWhen_TheSeedIsAnother() public {
        IFederated.Terms memory terms = _drawing();
        passDraw(jobOf(terms).drawBlock);
        bytes memory data = abi.encodeCall(federation.seat, (terms, keccak256("another")));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_SeedMismatch.selector));
    }

    function test_RevertWhen_TheBlockOfTheDrawIsNotMinedOrForgotten() public {
        IFederated.Terms memory terms = _drawing();
        uint256 drawBlock = jobOf(terms).drawBlock;
        bytes memory reason = refusal(terms, IFederated.FederatedEscrow_NoBlockHash.selector, drawBlock);
        bytes memory data = abi.encodeCall(federation.seat, (terms, SEED));
        refuses(requester, data, reason);
        vm.roll(drawBlock);
        refuses(requester, data, reason);
        vm.roll(drawBlock + 257);
        refuses(requester, data, reason);
    }

    function test_WhenTheDrawIsForgotten_TheJobExpiresAtOnce() public {
        IFederated.Terms memory terms = _drawing();
        vm.roll(uint256(jobOf(terms).drawBlock) + 257);
        federation.expire(terms);
        _assertGivenBack(terms);
    }

    function test_WhenSeated_ThePoolIsTheOneOfThePosting() public {
        IFederated.Terms memory terms = federatedTerms(7);
        post(terms);
        vm.warp(vm.getBlockTimestamp() + 1);
        address late = join(9000);
        enlistAll(terms);
        begin(terms);
        seat(terms);
        assertTrue(standingOf(terms, late) == Standing.None, "came after the posting");
        assertEq(jobOf(terms).seated, 7, "the others");
    }

    // ── Close

    function test_WhenTwoOfThreeSeatsSign_TheRoundIsClosed() public {
        IFederated.Terms memory terms = run(3);
        IFederated.Closing memory closing = closingOf(terms, "honest");
        federation.close(terms, closing, approvalsOf(terms, closing, 2));
        assertEq(jobOf(terms).closed, 1, "closed by anyone");
    }

    function test_RevertWhen_OneOfThreeSeatsSigns() public {
        IFederated.Terms memory terms = run(3);
        IFederated.Closing memory closing = closingOf(terms, "honest");
        _assertUnapproved(terms, closing, approvalsOf(terms, closing, 1));
    }

    function test_RevertWhen_ASeatSignsTwice() public {
        IFederated.Terms memory terms = run(3);
        IFederated.Closing memory closing = closingOf(terms, "honest");
        IFederated.Approval[] memory approvals = approvalsOf(terms, closing, 2);
        approvals[1] = approvals[0];
        _assertUnapproved(terms, closing, approvals);
    }

    function test_RevertWhen_AnAccountWithoutASeatSigns() public {
        IFederated.Terms memory terms = run(3);
        IFederated.Closing memory closing = closingOf(terms, "honest");
        IFederated.Approval[] memory approvals = approvalsOf(terms, closing, 3);
        approvals[2].seat = address(type(uint160).max);
        _assertUnapproved(terms, closing, approvals);
    }

    function test_RevertWhen_SeatsSignedAnotherClosing() public {
        IFederated.Terms memory terms = run(3);
        IFederated.Approval[] memory approvals = approvalsOf(terms, closingOf(terms, "another"), 3);
        _assertUnapproved(terms, closingOf(terms, "honest"), approvals);
    }

    function test_RevertWhen_SeatsSignedForAnotherJob() public {
        IFederated.Terms memory other = run(3);
        IFederated.Terms memory terms = run(3);
        IFederated.Closing memory closing = closingOf(terms, "honest");
        _assertUnapproved(terms, closing, approvalsOf(other, closing, 3));
    }

    function test_RevertWhen_TheRoundIsNotTheOpenOne() public {
        IFederated.Terms memory terms = run(3);
        IFederated.Closing memory closing = closingOf(terms, "honest");
        IFederated.Approval[] memory approvals = approvalsOf(terms, closing, 3);
        close(terms);
        bytes memory data = abi.encodeCall(federation.close, (terms, closing, approvals));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_WrongRound.selector, 1));
        closing.round = 3;
        data = abi.encodeCall(federation.close, (terms, closing, approvals));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_WrongRound.selector, 3));
    }

    function test_RevertWhen_ClosedLate() public {
        IFederated.Terms memory terms = run(3);
        IFederated.Closing memory closing = closingOf(terms, "honest");
        bytes memory data = abi.encodeCall(federation.close, (terms, closing, approvalsOf(terms, closing, 3)));
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline + 1);
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_TooLate.selector, deadline));
    }

    function test_RevertWhen_AnotherThanTheRequesterClosesWithoutSeats() public {
        IFederated.Terms memory terms = run(0);
        IFederated.Closing memory closing = closingOf(terms, "honest");
        bytes memory data = abi.encodeCall(federation.close, (terms, closing, new IFederated.Approval[](0)));
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_NotParty.selector, providers[0]));
    }

    // ── Stop and expire

    function test_WhenStoppedBeforeTheFirstRound_TheMoneyGoesBack() public {
        IFederated.Terms memory terms = federatedTerms(3);
        post(terms);
        enlistAll(terms);
        _stop(terms);
        _assertGivenBack(terms);
        terms = _drawing();
        uint256 before = owedTo(requester);
        _stop(terms);
        assertEq(owedTo(requester) - before, lockedBy(terms), "of the second job too");
    }

    function test_WhenStoppedWhileARoundIsOpen_ThatRoundIsTheLast() public {
        IFederated.Terms memory terms = run(3);
        _stop(terms);
        refuses(requester, abi.encodeCall(federation.stop, (terms)), wrongState(terms));
        close(terms);
        assertTrue(stateOf(terms) == FederatedState.Ended, "ended");
        assertEq(owedTo(requester), lockedBy(terms) * 2 / 3, "two rounds");
        vm.warp(jobOf(terms).deadline + 1);
        claim(terms, providers[0], 1);
        assertEq(owedTo(providers[0]), ROUND_PRICE / 4, "the closed one is paid");
    }

    function test_WhenARoundIsNotClosed_TheClosedOnesStayPaid() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        vm.warp(jobOf(terms).deadline + 1);
        federation.expire(terms);
        assertEq(owedTo(requester), lockedBy(terms) * 2 / 3, "two rounds");
        vm.warp(jobOf(terms).deadline + 1);
        claim(terms, seatsOf(terms)[1], 1);
        assertEq(owedTo(seatsOf(terms)[1]), SEAT_FEE, "a seat of the closed one");
    }

    function test_WhenTheRequesterIsSilentWithoutSeats_ItsProvidersShareTheRound() public {
        IFederated.Terms memory terms = run(0);
        close(terms);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(providers[i]);
            federation.assertUpload(terms, "upload");
        }
        vm.warp(jobOf(terms).deadline + 1);
        federation.expire(terms);
        uint256 share = ROUND_PRICE / 3;
        assertEq(owedTo(requester), 2 * ROUND_PRICE - 3 * share, "one round, and what does not divide");
        releaseAll(terms);
        assertEq(owedTo(providers[0]), share, "one that uploaded");
        assertEq(owedTo(providers[3]), 0, "one that did not");
    }

    function test_RevertWhen_ItExpiresEarly() public {
        IFederated.Terms memory terms = federatedTerms(3);
        post(terms);
        bytes memory data = abi.encodeCall(federation.expire, (terms));
        uint256 deadline = jobOf(terms).deadline;
        assertEq(deadline, terms.enlistBy + DISPUTE, "a window to begin");
        vm.warp(deadline);
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_TooEarly.selector, deadline));
    }

    function test_RevertWhen_AnUploadIsAssertedTwiceOrByAStranger() public {
        IFederated.Terms memory terms = run(0);
        bytes memory data = abi.encodeCall(federation.assertUpload, (terms, "upload"));
        vm.prank(providers[0]);
        federation.assertUpload(terms, "upload");
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_WrongRound.selector, 1));
        refuses(requester, data, wrongStanding(terms, requester));
    }

    // ── Claim, release, sweep

    function test_WhenClaimedInParts_EachClaimPaysWhatIsNew() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        vm.warp(vm.getBlockTimestamp() + DISPUTE + 1);
        close(terms);
        claim(terms, providers[0], 1);
        assertEq(owedTo(providers[0]), ROUND_PRICE / 4, "the first round, while the second can be challenged");
        vm.warp(vm.getBlockTimestamp() + DISPUTE + 1);
        claim(terms, providers[0], 2);
        assertEq(owedTo(providers[0]), ROUND_PRICE / 2, "two rounds");
    }

    function test_WhenManyAreClaimedAtOnce_ThoseThatHaveTheirsArePassedOver() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        vm.warp(vm.getBlockTimestamp() + DISPUTE + 1);
        claim(terms, providers[0], 1);
        IFederated.Payout[] memory payouts = new IFederated.Payout[](PROVIDERS);
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            payouts[i] = payoutsOf(terms, providers[i], 1)[0];
        }
        federation.claim(terms, payouts, closingsFrom(terms, 1));
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            assertEq(owedTo(providers[i]), ROUND_PRICE / 4, "once");
        }
    }

    function test_RevertWhen_ClaimedTwice() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        vm.warp(vm.getBlockTimestamp() + DISPUTE + 1);
        claim(terms, providers[0], 1);
        bytes memory data = _claimData(terms, providers[0], 1);
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_NothingToClaim.selector));
    }

    function test_RevertWhen_ClaimedWithinTheChallengeWindow() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        bytes memory data = _claimData(terms, providers[0], 1);
        uint256 until = vm.getBlockTimestamp() + DISPUTE;
        vm.warp(until);
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_TooEarly.selector, until));
    }

    function test_RevertWhen_TheProofIsOfAnotherSum() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        vm.warp(vm.getBlockTimestamp() + DISPUTE + 1);
        IFederated.Payout[] memory payouts = payoutsOf(terms, providers[0], 1);
        payouts[0].earned += 1;
        bytes memory data = abi.encodeCall(federation.claim, (terms, payouts, closingsFrom(terms, 1)));
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_WrongProof.selector, providers[0]));
    }

    function test_RevertWhen_ThePayIsMoreThanTheRoundsHave() public {
        IFederated.Terms memory terms = run(3);
        IFederated.Closing memory closing = closingOf(terms, "greedy");
        uint128 sum = uint128(ROUND_PRICE + 3 * SEAT_FEE + 1);
        closing.payRoot = keccak256(bytes.concat(keccak256(abi.encode(providers[0], sum))));
        close(terms, closing);
        vm.warp(vm.getBlockTimestamp() + DISPUTE + 1);
        IFederated.Payout[] memory payouts = new IFederated.Payout[](1);
        payouts[0] = IFederated.Payout(providers[0], sum, new bytes32[](0));
        bytes memory data = abi.encodeCall(federation.claim, (terms, payouts, closingsFrom(terms, 1)));
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_Overdrawn.selector));
    }

    function test_RevertWhen_ClosingsAreNotTheLastOnes() public {
        IFederated.Terms memory terms = run(3);
        close(terms);
        close(terms);
        vm.warp(vm.getBlockTimestamp() + DISPUTE + 1);
        IFederated.Closed[] memory list = closingsFrom(terms, 1);
        bytes memory reason = refusal(terms, IFederated.FederatedEscrow_WrongClosings.selector);
        refuses(requester, _claimData(terms, providers[0], 1, new IFederated.Closed[](0)), reason);
        (list[0], list[1]) = (list[1], list[0]);
        refuses(requester, _claimData(terms, providers[0], 1, list), reason);
        list = new IFederated.Closed[](1);
        list[0] = closingsFrom(terms, 1)[0];
        refuses(requester, _claimData(terms, providers[0], 1, list), reason);
        list = closingsFrom(terms, 1);
        list[0].closedAt -= 1;
        refuses(requester, _claimData(terms, providers[0], 1, list), reason);
    }

    function test_WhenSomePayIsNeverClaimed_TheRequesterGetsItAfterTheClaimWindow() public {
        IFederated.Terms memory terms = run(3);
        for (uint256 i = 0; i < ROUNDS; ++i) {
            close(terms);
        }
        vm.warp(jobOf(terms).deadline + 1);
        claim(terms, providers[0], ROUNDS);
        uint256 until = jobOf(terms).deadline + federation.CLAIM_WINDOW();
        vm.warp(until);
        bytes memory data = abi.encodeCall(federation.sweep, (terms));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_TooEarly.selector, until));
        vm.warp(until + 1);
        federation.sweep(terms);
        assertEq(owedTo(requester), lockedBy(terms) - 3 * ROUND_PRICE / 4, "what is left");
        data = _claimData(terms, providers[1], ROUNDS);
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_Overdrawn.selector));
    }

    function test_RevertWhen_AStakeIsReleasedEarlyOrTwice() public {
        IFederated.Terms memory terms = run(3);
        bytes memory data = abi.encodeCall(federation.release, (terms, only(providers[0])));
        refuses(providers[0], data, wrongState(terms));
        for (uint256 i = 0; i < ROUNDS; ++i) {
            close(terms);
        }
        uint256 deadline = jobOf(terms).deadline;
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_TooEarly.selector, deadline));
        releaseAll(terms);
        refuses(providers[0], data, refusal(terms, IFederated.FederatedEscrow_NothingToRelease.selector));
    }

    // ── Rate

    function test_WhenEnded_PartiesRateEachOtherOnce() public {
        IFederated.Terms memory terms = run(1);
        address validator = seatsOf(terms)[0];
        bytes memory data = abi.encodeCall(federation.rate, (terms, providers[0], 5));
        refuses(requester, data, wrongState(terms));
        for (uint256 i = 0; i < ROUNDS; ++i) {
            close(terms);
        }
        _rate(terms, requester, providers[0], 5);
        _rate(terms, requester, validator, 4);
        _rate(terms, providers[0], requester, 3);
        assertEq(rating.ratingOf(providers[0], Role.Provider).sum, 5, "provider");
        assertEq(rating.ratingOf(validator, Role.Validator).sum, 4, "seat");
        assertEq(rating.ratingOf(requester, Role.Requester).sum, 3, "requester");
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_AlreadyRated.selector, requester));
        data = abi.encodeCall(federation.rate, (terms, providers[1], 5));
        refuses(
            providers[0], data, refusal(terms, IFederated.FederatedEscrow_NotParty.selector, providers[1])
        );
    }

    // ── Internal

    function _assertPaysAll(IFederated.Terms memory terms) private {
        for (uint256 i = 0; i < ROUNDS; ++i) {
            close(terms);
        }
        assertTrue(stateOf(terms) == FederatedState.Ended, "ended");
        vm.warp(jobOf(terms).deadline + 1);
        address[] memory earners = earnersOf(terms);
        for (uint256 i = 0; i < earners.length; ++i) {
            claim(terms, earners[i], ROUNDS);
            assertEq(owedTo(earners[i]), earnedOf(terms, earners[i], ROUNDS), "owed");
        }
        releaseAll(terms);
        assertEq(federation.paidOf(federation.jobIdOf(terms)), lockedBy(terms), "all is paid");
        assertEq(owedTo(requester), 0, "nothing goes back");
        assertEq(address(federation).balance, lockedBy(terms), "and is there");
        for (uint256 i = 0; i < earners.length; ++i) {
            assertEq(registry.offerOf(earners[i]).lockedStake, 0, "free");
            IProviderRating.Rating memory counted =
                rating.ratingOf(earners[i], i < PROVIDERS ? Role.Provider : Role.Validator);
            assertEq(counted.settled, 1, "counted");
        }
    }

    function _assertGivenBack(IFederated.Terms memory terms) private {
        assertTrue(stateOf(terms) == FederatedState.Ended, "ended");
        assertEq(owedTo(requester), lockedBy(terms), "all");
        releaseAll(terms);
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            assertEq(registry.offerOf(providers[i]).lockedStake, 0, "free");
        }
    }

    function _assertUnpostable(IFederated.Terms memory terms, bytes memory reason) private {
        refuses(requester, abi.encodeCall(federation.post, (terms, "")), reason);
    }

    function _assertUnapproved(
        IFederated.Terms memory terms,
        IFederated.Closing memory closing,
        IFederated.Approval[] memory approvals
    ) private {
        bytes memory data = abi.encodeCall(federation.close, (terms, closing, approvals));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_WrongApprovals.selector));
    }

    function _drawing() private returns (IFederated.Terms memory terms) {
        terms = federatedTerms(3);
        post(terms);
        enlistAll(terms);
        begin(terms);
    }

    function _stop(IFederated.Terms memory terms) private {
        vm.prank(requester);
        federation.stop(terms);
    }

    function _rate(IFederated.Terms memory terms, address rater, address subject, uint8 score) private {
        vm.prank(rater);
        federation.rate(terms, subject, score);
    }

    function _claimData(IFederated.Terms memory terms, address account, uint256 round)
        private
        view
        returns (bytes memory)
    {
        return _claimData(terms, account, round, closingsFrom(terms, round));
    }

    function _claimData(
        IFederated.Terms memory terms,
        address account,
        uint256 round,
        IFederated.Closed[] memory list
    ) private view returns (bytes memory) {
        return abi.encodeCall(federation.claim, (terms, payoutsOf(terms, account, round), list));
    }
}
