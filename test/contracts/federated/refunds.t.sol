// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FederatedState, IFederated, Standing} from "../../../contracts/interfaces/IFederated.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {FederatedSteps} from "../support/FederatedSteps.sol";

/// @notice Jobs that a cheat ends. See refunds.tree.
contract FederatedRefundsTest is FederatedSteps {
    uint256 private constant ROUND_SUM = ROUND_PRICE + 3 * uint256(SEAT_FEE);
    uint256 private constant THIRD = uint256(PROVIDER_STAKE) / 3;

    // ── The paper's case

    function test_WithTwoOfFourBad_ThePriceGoesBackTheyAreBannedAndTheOthersShareTheirStakes() public {
        IFederated.Terms memory terms = federatedTerms(3);
        (terms.roundPrice, terms.rounds, terms.providerStake, terms.refunds) = (0.13 ether, 1, 0.001 ether, true);
        start(terms);
        strike(terms, providers[0]);
        strike(terms, providers[2]);
        assertEq(owedTo(requester), 0.13 ether, "the price goes back");
        _settle(terms);
        assertEq(owedTo(providers[1]), 0.001 ether, "an honest one");
        assertEq(owedTo(providers[3]), 0.001 ether, "the other honest one");
        assertEq(lostBy(providers[0]) + lostBy(providers[2]), 0.002 ether, "what the cheats lost");
        assertEq(registry.burnt() + owedTo(address(0)), 0, "nothing is burnt");
        IFederated.Terms memory next = federatedTerms(3);
        post(next);
        enlist(next, providers[1]);
        for (uint256 i = 0; i < 3; i += 2) {
            assertTrue(registry.offerOf(providers[i]).banned, "banned");
            bytes memory reason =
                abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_Banned.selector, providers[i]);
            bytes memory admission = admissionOf(next, providers[i]);
            refuses(providers[i], abi.encodeCall(federation.enlist, (next, admission)), reason);
            IProviderRegistry.Draft memory draft = draftOf(true, false);
            bytes memory signature = signKeys(keyOf[providers[i]], providers[i], draft);
            assertRevertsAt(
                address(registry), providers[i], 0, abi.encodeCall(registry.publish, (draft, signature)), reason
            );
        }
    }

    // ── Strike

    function test_WhenARoundIsOpen_TheJobEndsAndTheRoundsThatAreNotClosedGoBack() public {
        IFederated.Terms memory terms = runRefunding(3);
        close(terms);
        strike(terms, providers[0]);
        assertTrue(stateOf(terms) == FederatedState.Ended, "ended");
        assertEq(jobOf(terms).closed, 1, "the first round stays closed");
        assertEq(owedTo(requester), 2 * ROUND_SUM - 3 * SEAT_FEE, "two rounds, less the seats that struck");
        _settle(terms);
        claim(terms, providers[1], 1);
        assertEq(owedTo(providers[1]), ROUND_PRICE / 4 + THIRD, "a round and a third of the stake");
        assertEq(owedTo(requester), 2 * ROUND_SUM - 3 * SEAT_FEE, "the requester has none of it");
        _assertSolvent(terms);
    }

    function test_WhenSeatsStruck_EachHasItsFeeForTheOpenRound() public {
        IFederated.Terms memory terms = runRefunding(3);
        strike(terms, providers[0]);
        address[] memory seats = seatsOf(terms);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(owedTo(seats[i]), SEAT_FEE, "a fee");
        }
        strike(terms, providers[1]);
        assertEq(owedTo(seats[0]), SEAT_FEE, "once");
        _assertSolvent(terms);
    }

    function test_WhenAClosingIsDisputedAndStands_TheJobEnds() public {
        IFederated.Terms memory terms = runRefunding(3);
        close(terms);
        challenge(terms, requester, 1);
        strike(terms, providers[0]);
        assertTrue(stateOf(terms) == FederatedState.Disputed, "it waits for the panel");
        _decide(terms, address(0), federation.findingOf(closingsFrom(terms, 1)[0].closing));
        concludeChallenge(terms, 1);
        assertTrue(stateOf(terms) == FederatedState.Ended, "ended");
        assertEq(owedTo(requester), 2 * ROUND_SUM, "two rounds");
        _settle(terms);
        claim(terms, providers[1], 1);
        assertEq(owedTo(providers[1]), ROUND_PRICE / 4 + THIRD, "a round and a third of the stake");
        _assertSolvent(terms);
    }

    function test_WhenAClosingIsDisputedAndVoid_ItsRoundIsSharedAndTheStakesToo() public {
        IFederated.Terms memory terms = runRefunding(3);
        assertAll(terms);
        close(terms);
        challenge(terms, providers[1], 1);
        strike(terms, providers[0]);
        _decide(terms, address(0), "another");
        concludeChallenge(terms, 1);
        vm.warp(federation.accountOf(federation.jobIdOf(terms), providers[0]).appealBy + 1);
        releaseStruck(terms);
        release(terms, providers[2]);
        assertEq(owedTo(providers[2]), ROUND_PRICE / 4 + THIRD, "a part of the void round, and of the stake");
        release(terms, providers[1]);
        release(terms, providers[3]);
        _assertSolvent(terms);
    }

    function test_WhenStruckAfterTheLastRound_TheRoundsStayPaidAndTheStakeIsShared() public {
        IFederated.Terms memory terms = runRefunding(3);
        for (uint256 i = 0; i < ROUNDS; ++i) {
            close(terms);
        }
        strike(terms, providers[0]);
        assertEq(owedTo(requester), 0, "nothing goes back");
        _settle(terms);
        claim(terms, providers[1], ROUNDS);
        assertEq(owedTo(providers[1]), ROUNDS * (ROUND_PRICE / 4) + THIRD, "all rounds and a third");
        _assertSolvent(terms);
    }

    function test_WhenASecondOneIsStruckAfterTheEnd_BothStakesAreShared() public {
        IFederated.Terms memory terms = runRefunding(3);
        strike(terms, providers[0]);
        vm.warp(jobOf(terms).deadline);
        strike(terms, providers[1]);
        _settle(terms);
        assertEq(owedTo(providers[2]), PROVIDER_STAKE, "as many cheats as honest ones");
        _assertSolvent(terms);
    }

    function test_WhenThePanelClearsTheProvider_NobodyIsBannedAndTheSeatsThatSignedAreSlashed() public {
        IFederated.Terms memory terms = runRefunding(3);
        strike(terms, providers[0]);
        _appeal(terms, federation.CLEAR());
        assertTrue(stateOf(terms) == FederatedState.Ended, "no seats are left to go on");
        assertEq(lostBy(seatsOf(terms)[0]), SEAT_STAKE, "a signer");
        vm.warp(jobOf(terms).deadline + 1);
        release(terms, providers[1]);
        release(terms, providers[0]);
        assertEq(lostBy(providers[0]) + owedTo(providers[1]), 0, "nothing is shared");
        assertTrue(!registry.offerOf(providers[0]).banned, "nor banned");
        _assertSolvent(terms);
    }

    function test_WhenThePanelConfirmsTheStrike_TheOthersShareTheStake() public {
        IFederated.Terms memory terms = runRefunding(3);
        strike(terms, providers[0]);
        _appeal(terms, federation.GUILTY());
        _settle(terms);
        assertEq(owedTo(providers[1]), THIRD, "a third");
        assertTrue(registry.offerOf(providers[0]).banned, "banned");
        _assertSolvent(terms);
    }

    function test_WhenAStrikeDuringADisputeIsCleared_TheJobGoesOn() public {
        IFederated.Terms memory terms = runRefunding(3);
        close(terms);
        challenge(terms, requester, 1);
        strike(terms, providers[0]);
        appeal(terms, providers[0]);
        empanel(terms, providers[0]);
        vm.warp(disputeOf(terms, providers[0]).deadline + 1);
        federation.concludeAppeal(terms, strikeOf(terms, providers[0]), seatsOf(terms));
        _decide(terms, address(0), federation.findingOf(closingsFrom(terms, 1)[0].closing));
        concludeChallenge(terms, 1);
        assertTrue(stateOf(terms) == FederatedState.Running, "running");
        close(terms);
        _assertSolvent(terms);
    }

    function test_WhenTheStakeDoesNotDivide_WhatIsLeftIsBurnt() public {
        IFederated.Terms memory terms = runRefunding(3);
        strike(terms, providers[0]);
        _settle(terms);
        for (uint256 i = 1; i < PROVIDERS; ++i) {
            assertEq(owedTo(providers[i]), THIRD, "a third");
        }
        assertEq(owedTo(address(0)), PROVIDER_STAKE - 3 * THIRD, "the rest");
        assertTrue(PROVIDER_STAKE != 3 * THIRD, "there is one");
        _assertSolvent(terms);
    }

    function test_WhenAllAreStruck_TheStakesAreBurnt() public {
        IFederated.Terms memory terms = runRefunding(3);
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            strike(terms, providers[i]);
        }
        _settle(terms);
        assertEq(owedTo(address(0)), PROVIDERS * PROVIDER_STAKE, "all");
        assertEq(owedTo(requester), 3 * ROUND_SUM - 3 * SEAT_FEE, "the price alone");
        _assertSolvent(terms);
    }

    function test_WhenThereIsNoStake_ItBansAndSharesNothing() public {
        IFederated.Terms memory terms = federatedTerms(3);
        (terms.providerStake, terms.refunds) = (0, true);
        start(terms);
        strike(terms, providers[0]);
        _settle(terms);
        assertTrue(registry.offerOf(providers[0]).banned, "banned");
        assertEq(owedTo(providers[1]), 0, "nothing");
        _assertSolvent(terms);
    }

    // ── Release

    function test_RevertWhen_AnHonestStakeIsReleasedBeforeTheStruckOne() public {
        IFederated.Terms memory terms = runRefunding(3);
        strike(terms, providers[0]);
        vm.warp(jobOf(terms).deadline + 1);
        _assertWaits(terms, providers[1]);
        _assertWaits(terms, seatsOf(terms)[0]);
        releaseStruck(terms);
        release(terms, providers[1]);
        release(terms, seatsOf(terms)[0]);
    }

    function test_RevertWhen_AStrikeCanBeAppealed() public {
        IFederated.Terms memory terms = runRefunding(3);
        strike(terms, providers[0]);
        vm.warp(jobOf(terms).deadline);
        strike(terms, providers[3]);
        vm.warp(vm.getBlockTimestamp() + 1);
        release(terms, providers[0]);
        _assertWaits(terms, providers[1]);
        vm.warp(vm.getBlockTimestamp() + DISPUTE);
        release(terms, providers[3]);
        release(terms, providers[1]);
        assertEq(owedTo(providers[1]), PROVIDER_STAKE, "of both");
    }

    function test_WhenTheStruckComeFirst_OneCallReleasesAll() public {
        IFederated.Terms memory terms = runRefunding(3);
        strike(terms, providers[0]);
        vm.warp(jobOf(terms).deadline + 1);
        federation.release(terms, earnersOf(terms));
        address[] memory earners = earnersOf(terms);
        for (uint256 i = 0; i < earners.length; ++i) {
            assertTrue(standingOf(terms, earners[i]) == Standing.Released, "released");
        }
    }

    // ── Post

    function test_RevertWhen_AJobThatACheatEndsHasFewerThanTwoSeats() public {
        IFederated.Terms memory terms = federatedTerms(1);
        terms.refunds = true;
        bytes memory data = abi.encodeCall(federation.post, (terms, "sealed"));
        bytes memory reason = abi.encodeWithSelector(IFederated.FederatedEscrow_InvalidTerms.selector);
        assertRevertsAt(address(federation), requester, lockedBy(terms), data, reason);
    }

    // ── Internal

    /// @dev Everybody has its stake again, or has lost it.
    function _settle(IFederated.Terms memory terms) private {
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            uint256 until = federation.accountOf(federation.jobIdOf(terms), providers[i]).appealBy;
            if (vm.getBlockTimestamp() <= until) vm.warp(until + 1);
        }
        if (vm.getBlockTimestamp() <= jobOf(terms).deadline) vm.warp(jobOf(terms).deadline + 1);
        federation.release(terms, _struckFirst(terms));
    }

    function _struckFirst(IFederated.Terms memory terms) private view returns (address[] memory list) {
        address[] memory earners = earnersOf(terms);
        list = new address[](earners.length);
        uint256 count = 0;
        for (uint256 pass = 0; pass < 2; ++pass) {
            for (uint256 i = 0; i < earners.length; ++i) {
                Standing standing = standingOf(terms, earners[i]);
                bool struck = standing == Standing.Struck || standing == Standing.Condemned;
                if (struck == (pass == 0)) list[count++] = earners[i];
            }
        }
    }

    function _decide(IFederated.Terms memory terms, address about, bytes32 finding) private {
        empanel(terms, about);
        decide(terms, about, finding);
    }

    function _appeal(IFederated.Terms memory terms, bytes32 finding) private {
        appeal(terms, providers[0]);
        _decide(terms, providers[0], finding);
        federation.concludeAppeal(terms, strikeOf(terms, providers[0]), seatsOf(terms));
    }

    function _assertWaits(IFederated.Terms memory terms, address who) private {
        bytes memory data = abi.encodeCall(federation.release, (terms, only(who)));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_NothingToRelease.selector));
    }

    /// @dev What the contract holds is what it owes, what is unclaimed, and what is left to share.
    function _assertSolvent(IFederated.Terms memory terms) private view {
        IFederated.Job memory job = jobOf(terms);
        uint256 held = owedTo(requester) + owedTo(address(0));
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            held += owedTo(providers[i]);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            held += owedTo(accounts[i]);
        }
        uint256 rounds = job.state == FederatedState.Ended ? job.closed : terms.rounds;
        held += rounds * (terms.roundPrice + uint256(terms.seats) * terms.seatFee);
        held -= federation.paidOf(federation.jobIdOf(terms));
        if (job.sharing != 0) held += job.sharing * (terms.roundPrice / job.asserted);
        assertEq(address(federation).balance, held, "solvent");
    }
}
