// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Job} from "./support/JobView.sol";
import {Steps} from "./support/Steps.sol";

contract DrawsTest is Steps {
    function test_WhenBothRevealTheirSeeds_SeatsAreFilled() public {
        IJobEscrow.Terms memory terms = _appealed();
        eq(jobOf(terms).deadline, vm.getBlockTimestamp() + WINDOW, "the requester's window");
        vm.warp(jobOf(terms).deadline);
        revealSeed(terms);
        eq(jobOf(terms).deadline, vm.getBlockTimestamp() + WINDOW, "then the provider's");
        vm.warp(jobOf(terms).deadline);
        drawAsProvider(terms);

        Job memory job = jobOf(terms);
        eq(seatedAs(terms, SeatStatus.Appointed).length, 3, "three seats");
        eq(job.toDraw, 0, "nothing left to draw");
        yes(!job.oneSided && !job.seeded, "by both, and over");
        eq(job.deadline, vm.getBlockTimestamp() + WINDOW, "a window of their own to commit");
    }

    function test_EachSeedChangesWhoIsDrawn() public {
        IJobEscrow.Terms memory terms = termsOf(3);
        reach(terms, State.Accepted);
        uint256 start = vm.snapshotState();
        bytes32 first = _drawnWith(terms, "1", true);
        vm.revertToState(start);
        start = vm.snapshotState();
        yes(_drawnWith(terms, "2", true) != first, "another seed of the provider");
        vm.revertToState(start);
        yes(_drawnWith(terms, "1", false) != first, "the requester's missing");
    }

    function test_WhenTheRequesterMissesItsTurn_TheProviderDrawsAlone() public {
        IJobEscrow.Terms memory terms = _appealed();
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        refuses(provider, drawData(terms), tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        refuses(requester, revealSeedData(terms), tooLate(terms, deadline));
        vm.warp(deadline + WINDOW);
        drawAsProvider(terms);
        yes(jobOf(terms).oneSided, "one-sided");
        eq(seatedAs(terms, SeatStatus.Appointed).length, 3, "three seats");
    }

    function test_WhenTheProviderHidesItsSeed_ItFails() public {
        IJobEscrow.Terms memory terms = _half();
        revealSeed(terms);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        refuses(requester, abi.encodeCall(IJobEscrow.conclude, (terms)), tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        refuses(provider, drawData(terms), tooLate(terms, deadline));
        _failsAsHid(terms);
    }

    function test_WhenNeitherRevealsASeed_TheProviderFails() public {
        IJobEscrow.Terms memory terms = _half();
        uint256 deadline = jobOf(terms).deadline + WINDOW;
        vm.warp(deadline);
        refuses(requester, abi.encodeCall(IJobEscrow.conclude, (terms)), tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        refuses(provider, drawData(terms), tooLate(terms, deadline));
        _failsAsHid(terms);
    }

    function test_RevertWhen_TheRequestersSeedOrMaskIsWrong() public {
        IJobEscrow.Terms memory terms = _appealed();
        bytes memory reason = seedMismatch(terms, requester);
        bytes32 seed = seedOf(REQUESTERS_SECRET, 1);
        _refuseSeed(terms, MASK_HASH, seedOf(REQUESTERS_SECRET, 2), reason);
        _refuseSeed(terms, MASK_HASH, tipOf(REQUESTERS_SECRET), reason);
        _refuseSeed(terms, MASK_HASH, seedOf(PROVIDERS_SECRET, 1), reason);
        _refuseSeed(terms, keccak256("another mask"), seed, reason);
        revealSeed(terms);
    }

    function test_RevertWhen_TheProvidersSeedOrCommitmentsAreWrong() public {
        IJobEscrow.Terms memory terms = _appealed();
        revealSeed(terms);
        bytes memory reason = seedMismatch(terms, provider);
        bytes32 seed = seedOf(PROVIDERS_SECRET, 1);
        refuses(provider, drawData(terms, seedOf(PROVIDERS_SECRET, 2)), reason);
        refuses(provider, drawData(terms, tipOf(PROVIDERS_SECRET)), reason);
        refuses(provider, drawData(terms, seedOf(REQUESTERS_SECRET, 1)), reason);
        bytes32 commitment = commitmentOf(terms, provider, honest());
        bytes32 key = keyCommitmentOf(terms);
        refuses(provider, abi.encodeCall(IJobEscrow.draw, (terms, bytes32(0), key, seed)), reason);
        refuses(provider, abi.encodeCall(IJobEscrow.draw, (terms, commitment, bytes32(0), seed)), reason);
        drawAsProvider(terms);
    }

    function test_RevertWhen_AStrangerRevealsOrDraws() public {
        IJobEscrow.Terms memory terms = _appealed();
        refuses(provider, revealSeedData(terms), notParty(terms, provider));
        refuses(validator(5), revealSeedData(terms), notParty(terms, validator(5)));
        revealSeed(terms);
        refuses(requester, drawData(terms), notParty(terms, requester));
        refuses(validator(5), drawData(terms), notParty(terms, validator(5)));
    }

    function test_RevertWhen_NothingIsToBeDrawn() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        refuses(requester, revealSeedData(terms), invalidStatus(terms));
        refuses(provider, drawData(terms), invalidStatus(terms));
        submit(terms);
        appoint(terms);
        refuses(requester, revealSeedData(terms), nothingToDraw(terms));
        refuses(provider, drawData(terms), nothingToDraw(terms));
        abstain(terms, validator(0));
        revealSeed(terms);
        refuses(requester, revealSeedData(terms), nothingToDraw(terms));
        drawAsProvider(terms);
        refuses(provider, drawData(terms), nothingToDraw(terms));

        IJobEscrow.Terms memory optimistic = termsOf(0);
        reach(optimistic, State.Submitted);
        passDeadline(optimistic);
        refuses(provider, drawData(optimistic), invalidStatus(optimistic));
    }

    function test_EveryDrawOfAJobNeedsItsOwnSeeds() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        passDeadline(terms);
        _refuseOtherSeeds(terms, 1);
        drawAsProvider(terms);
        abstainAll(terms);
        _drawNext(terms, 2);
        decide(terms, wrong());
        appeal(terms);
        _drawNext(terms, 3);
        abstainAll(terms);
        passDeadline(terms);
        _refuseOtherSeeds(terms, 4);
        drawAsProvider(terms);
        decide(terms, honest());
        claim(terms);
        refuses(requester, escrow.challengeBondOf(terms), _challengeWith(terms, 4), seedMismatch(terms, requester));
        challenge(terms);
        _refuseOtherSeeds(terms, 5);
        drawAsProvider(terms);
        abstain(terms, seatedAs(terms, SeatStatus.Appointed)[0]);
        commitAll(terms, honest());
        _drawNext(terms, 6);
        decide(terms, honest());
        settle(terms, provider);
        yes(stateOf(terms) == State.Settled, "settled");
        eq(jobOf(terms).draws, 6, "as many draws as a job can have");
    }

    function test_WhenTheRequesterDoesNotAppoint_OnlyTheProviderDraws() public {
        IJobEscrow.Terms memory terms = termsOf(2);
        reach(terms, State.Submitted);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        refuses(provider, drawData(terms), tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        refuses(requester, drawData(terms), notParty(terms, requester));
        refuses(validator(3), drawData(terms), notParty(terms, validator(3)));
        vm.warp(deadline + WINDOW);
        drawAsProvider(terms);
        eq(seatedAs(terms, SeatStatus.Appointed).length, 2, "seats drawn");
        yes(jobOf(terms).oneSided && !jobOf(terms).named, "by the provider alone");
    }

    function test_WhenTheProviderDoesNotDrawEither_TheJobExpires() public {
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        uint256 deadline = jobOf(terms).deadline + WINDOW;
        vm.warp(deadline);
        bytes memory data = abi.encodeCall(IJobEscrow.expire, (terms, new address[](0)));
        refuses(requester, data, tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        refuses(provider, drawData(terms), tooLate(terms, deadline));
        expire(terms, validator(3));
        eq(owedTo(requester, terms), PRICE + FEE + PROVIDER_STAKE / 10, "refund and a tenth");
        eq(rating.ratingOf(provider, Role.Provider).late, 1, "late");
    }

    function test_WhenThePoolIsEmpty_TheRoundGoesOnWithout() public {
        for (uint256 i = 0; i < crowd.length; ++i) {
            vm.prank(crowd[i]);
            registry.requestWithdrawal(STAKE - uint96(POOL_STAKE) + 1);
        }
        publish(2000, true, false);
        vm.prank(provider);
        registry.deposit{value: PROVIDER_STAKE}();
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        drawAlone(terms);
        yes(stateOf(terms) == State.Inconclusive, "nobody to measure");
        eq(jobOf(terms).occupied, 0, "nobody seated");
    }

    /// @dev A rejected job that is appealed: three seats are to be drawn.
    function _appealed() private returns (IJobEscrow.Terms memory terms) {
        terms = termsOf(1);
        reach(terms, State.Rejected);
        appeal(terms);
    }

    /// @dev One of two validators has committed, the other stood down: one seat is to be drawn.
    function _half() private returns (IJobEscrow.Terms memory terms) {
        terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        abstain(terms, validator(1));
        eq(jobOf(terms).toDraw, 1, "one seat");
    }

    function _failsAsHid(IJobEscrow.Terms memory terms) private {
        conclude(terms);
        yes(stateOf(terms) == State.Rejected, "rejected");
        refuses(provider, escrow.appealBondOf(terms), abi.encodeCall(IJobEscrow.appeal, (terms)), noAppeal(terms));
        settle(terms, validator(7));

        eq(owedTo(requester, terms), PRICE + FEE + PROVIDER_STAKE / 10, "refund and a tenth");
        eq(lostBy(provider), PROVIDER_STAKE, "the provider's stake");
        eq(registry.burnt(), PROVIDER_STAKE - PROVIDER_STAKE / 10, "the rest is nobody's");
        eq(rating.ratingOf(provider, Role.Provider).hid, 1, "hid");
        eq(owedTo(validator(0), terms), FEE, "who had committed is paid");
        eq(lostBy(validator(0)), 0, "and keeps its stake");
        eq(registry.offerOf(validator(0)).lockedStake, 0, "which is free");
        eq(rating.ratingOf(validator(0), Role.Validator).settled, 1, "as one that served");
    }

    function _drawNext(IJobEscrow.Terms memory terms, uint256 number) private {
        eq(jobOf(terms).draws, number, "the number of the draw");
        bytes memory reason = seedMismatch(terms, requester);
        _refuseSeed(terms, MASK_HASH, seedOf(REQUESTERS_SECRET, number - 1), reason);
        _refuseSeed(terms, MASK_HASH, seedOf(REQUESTERS_SECRET, number + 1), reason);
        revealSeed(terms);
        _refuseOtherSeeds(terms, number);
        drawAsProvider(terms);
    }

    function _refuseOtherSeeds(IJobEscrow.Terms memory terms, uint256 number) private {
        for (uint256 i = 0; i < SEEDS; ++i) {
            if (i == number) continue;
            refuses(provider, drawData(terms, seedOf(PROVIDERS_SECRET, i)), seedMismatch(terms, provider));
        }
    }

    function _refuseSeed(IJobEscrow.Terms memory terms, bytes32 maskHash, bytes32 seed, bytes memory reason) private {
        refuses(requester, abi.encodeCall(IJobEscrow.revealSeed, (terms, maskHash, seed)), reason);
    }

    function _challengeWith(IJobEscrow.Terms memory terms, uint256 number) private pure returns (bytes memory) {
        return abi.encodeCall(IJobEscrow.challenge, (terms, MASK_HASH, seedOf(REQUESTERS_SECRET, number)));
    }

    /// @dev Who is drawn for seats that were left, when the provider's seeds come from `secret`.
    function _drawnWith(IJobEscrow.Terms memory terms, bytes32 secret, bool both) private returns (bytes32) {
        bytes32 commitment = commitmentOf(terms, provider, honest());
        bytes32 key = keyCommitmentOf(terms);
        vm.prank(provider);
        escrow.submit(terms, 0, commitment, key, tipOf(secret), "");
        appoint(terms);
        abstainAll(terms);
        if (both) revealSeed(terms);
        else passDeadline(terms);
        vm.prank(provider);
        escrow.draw(terms, commitment, key, seedOf(secret, 1));
        return keccak256(abi.encode(seatedAs(terms, SeatStatus.Appointed)));
    }
}
