// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../contracts/interfaces/IJob.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Job} from "./support/JobView.sol";
import {Steps} from "./support/Steps.sol";

/// @notice See draws.tree.
contract DrawsTest is Steps {
    function test_WhenBothRevealTheirSeeds_SeatsAreFilled() public {
        IJob.Terms memory terms = _appealed();
        assertEq(jobOf(terms).deadline, vm.getBlockTimestamp() + WINDOW, "the requester's window");
        vm.warp(jobOf(terms).deadline);
        revealSeed(terms);
        assertEq(jobOf(terms).deadline, vm.getBlockTimestamp() + WINDOW, "then the provider's");
        vm.warp(jobOf(terms).deadline);
        drawAsProvider(terms);

        Job memory job = jobOf(terms);
        assertEq(seatedAs(terms, SeatStatus.Appointed).length, 3, "three seats");
        assertEq(job.toDraw, 0, "nothing left to draw");
        assertTrue(!job.oneSided && !job.seeded, "drawn with both seeds");
        assertEq(job.deadline, vm.getBlockTimestamp() + WINDOW, "a whole window to commit");
    }

    function test_EachSeedChangesTheDraw() public {
        IJob.Terms memory terms = termsOf(3);
        reach(terms, State.Accepted);
        uint256 start = vm.snapshotState();
        bytes32 first = _drawnWith(terms, "1", true);
        vm.revertToState(start);
        start = vm.snapshotState();
        assertTrue(_drawnWith(terms, "2", true) != first, "another seed of the provider");
        vm.revertToState(start);
        assertTrue(_drawnWith(terms, "1", false) != first, "without the seed of the requester");
    }

    function test_WhenTheRequesterDoesNotRevealItsSeed_TheProviderDrawsAlone() public {
        IJob.Terms memory terms = _appealed();
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        assertReverts(provider, drawData(terms), tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        assertReverts(requester, revealSeedData(terms), tooLate(terms, deadline));
        vm.warp(deadline + WINDOW);
        drawAsProvider(terms);
        assertTrue(jobOf(terms).oneSided, "one-sided");
        assertEq(seatedAs(terms, SeatStatus.Appointed).length, 3, "three seats");
    }

    function test_WhenTheProviderHidesItsSeed_ItFails() public {
        IJob.Terms memory terms = _half();
        revealSeed(terms);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        assertReverts(requester, abi.encodeCall(escrow.conclude, (terms)), tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        assertReverts(provider, drawData(terms), tooLate(terms, deadline));
        _failsAsHid(terms);
    }

    function test_WhenNeitherRevealsASeed_TheProviderFails() public {
        IJob.Terms memory terms = _half();
        uint256 deadline = jobOf(terms).deadline + WINDOW;
        vm.warp(deadline);
        assertReverts(requester, abi.encodeCall(escrow.conclude, (terms)), tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        assertReverts(provider, drawData(terms), tooLate(terms, deadline));
        _failsAsHid(terms);
    }

    function test_RevertWhen_TheRequestersSeedOrMaskIsWrong() public {
        IJob.Terms memory terms = _appealed();
        bytes memory reason = seedMismatch(terms, requester);
        bytes32 seed = seedOf(REQUESTERS_SECRET, 1);
        _assertRevertsSeed(terms, MASK_HASH, seedOf(REQUESTERS_SECRET, 2), reason);
        _assertRevertsSeed(terms, MASK_HASH, tipOf(REQUESTERS_SECRET), reason);
        _assertRevertsSeed(terms, MASK_HASH, seedOf(PROVIDERS_SECRET, 1), reason);
        _assertRevertsSeed(terms, keccak256("another mask"), seed, reason);
        revealSeed(terms);
    }

    function test_RevertWhen_TheProvidersSeedOrCommitmentsAreWrong() public {
        IJob.Terms memory terms = _appealed();
        revealSeed(terms);
        bytes memory reason = seedMismatch(terms, provider);
        bytes32 seed = seedOf(PROVIDERS_SECRET, 1);
        assertReverts(provider, drawData(terms, seedOf(PROVIDERS_SECRET, 2)), reason);
        assertReverts(provider, drawData(terms, tipOf(PROVIDERS_SECRET)), reason);
        assertReverts(provider, drawData(terms, seedOf(REQUESTERS_SECRET, 1)), reason);
        bytes32 commitment = commitmentOf(terms, provider, honest());
        bytes32 key = keyCommitmentOf(terms);
        assertReverts(provider, abi.encodeCall(escrow.draw, (terms, bytes32(0), key, seed)), reason);
        assertReverts(provider, abi.encodeCall(escrow.draw, (terms, commitment, bytes32(0), seed)), reason);
        drawAsProvider(terms);
    }

    function test_RevertWhen_AStrangerRevealsOrDraws() public {
        IJob.Terms memory terms = _appealed();
        assertReverts(provider, revealSeedData(terms), notParty(terms, provider));
        assertReverts(validator(5), revealSeedData(terms), notParty(terms, validator(5)));
        revealSeed(terms);
        assertReverts(requester, drawData(terms), notParty(terms, requester));
        assertReverts(validator(5), drawData(terms), notParty(terms, validator(5)));
    }

    function test_RevertWhen_NothingIsToBeDrawn() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Accepted);
        assertReverts(requester, revealSeedData(terms), invalidStatus(terms));
        assertReverts(provider, drawData(terms), invalidStatus(terms));
        submit(terms);
        appoint(terms);
        assertReverts(requester, revealSeedData(terms), nothingToDraw(terms));
        assertReverts(provider, drawData(terms), nothingToDraw(terms));
        abstain(terms, validator(0));
        revealSeed(terms);
        assertReverts(requester, revealSeedData(terms), nothingToDraw(terms));
        drawAsProvider(terms);
        assertReverts(provider, drawData(terms), nothingToDraw(terms));

        IJob.Terms memory optimistic = termsOf(0);
        reach(optimistic, State.Submitted);
        passDeadline(optimistic);
        assertReverts(provider, drawData(optimistic), invalidStatus(optimistic));
    }

    function test_EveryDrawOfAJobNeedsItsOwnSeeds() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        passDeadline(terms);
        _assertRevertsOtherSeeds(terms, 1);
        drawAsProvider(terms);
        abstainAll(terms);
        _drawNext(terms, 2);
        decide(terms, wrong());
        appeal(terms);
        _drawNext(terms, 3);
        abstainAll(terms);
        passDeadline(terms);
        _assertRevertsOtherSeeds(terms, 4);
        drawAsProvider(terms);
        decide(terms, honest());
        claim(terms);
        uint256 bond = escrow.challengeBondOf(terms);
        assertReverts(requester, bond, _challengeWith(terms, 4), seedMismatch(terms, requester));
        challenge(terms);
        _assertRevertsOtherSeeds(terms, 5);
        drawAsProvider(terms);
        abstain(terms, seatedAs(terms, SeatStatus.Appointed)[0]);
        commitAll(terms, honest());
        _drawNext(terms, 6);
        decide(terms, honest());
        settle(terms, provider);
        assertTrue(stateOf(terms) == State.Settled, "settled");
        assertEq(jobOf(terms).draws, 6, "as many draws as a job can have");
    }

    function test_WhenTheRequesterDoesNotAppoint_OnlyTheProviderDraws() public {
        IJob.Terms memory terms = termsOf(2);
        reach(terms, State.Submitted);
        uint256 deadline = jobOf(terms).deadline;
        vm.warp(deadline);
        assertReverts(provider, drawData(terms), tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        assertReverts(requester, drawData(terms), notParty(terms, requester));
        assertReverts(validator(3), drawData(terms), notParty(terms, validator(3)));
        vm.warp(deadline + WINDOW);
        drawAsProvider(terms);
        assertEq(seatedAs(terms, SeatStatus.Appointed).length, 2, "seats drawn");
        assertTrue(jobOf(terms).oneSided && !jobOf(terms).named, "by the provider alone");
    }

    function test_WhenTheProviderDoesNotDrawEither_TheJobExpires() public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        uint256 deadline = jobOf(terms).deadline + WINDOW;
        vm.warp(deadline);
        bytes memory data = abi.encodeCall(escrow.expire, (terms, new address[](0)));
        assertReverts(requester, data, tooEarly(terms, deadline));
        vm.warp(deadline + 1);
        assertReverts(provider, drawData(terms), tooLate(terms, deadline));
        expire(terms, validator(3));
        assertEq(owedTo(requester, terms), PRICE + FEE + PROVIDER_STAKE / 10, "refund and a tenth");
        assertEq(rating.ratingOf(provider, Role.Provider).late, 1, "late");
    }

    function test_WhenThePoolIsEmpty_TheJobIsInconclusive() public {
        for (uint256 i = 0; i < accounts.length; ++i) {
            vm.prank(accounts[i]);
            registry.requestWithdrawal(accounts[i], STAKE - uint96(POOL_STAKE) + 1);
        }
        publish(2000, true, false);
        vm.prank(provider);
        registry.deposit{value: PROVIDER_STAKE}(provider);
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Submitted);
        drawAlone(terms);
        assertTrue(stateOf(terms) == State.Inconclusive, "no validator");
        assertEq(jobOf(terms).occupied, 0, "no seat was given");
    }

    /// @dev A rejected job that is appealed: three seats are to be drawn.
    function _appealed() private returns (IJob.Terms memory terms) {
        terms = termsOf(1);
        reach(terms, State.Rejected);
        appeal(terms);
    }

    /// @dev One of two validators has committed and the other abstained: one seat is to be drawn.
    function _half() private returns (IJob.Terms memory terms) {
        terms = termsOf(2);
        reach(terms, State.Validating);
        commit(terms, validator(0), honest());
        abstain(terms, validator(1));
        assertEq(jobOf(terms).toDraw, 1, "one seat");
    }

    function _failsAsHid(IJob.Terms memory terms) private {
        conclude(terms);
        assertTrue(stateOf(terms) == State.Rejected, "rejected");
        assertReverts(provider, 3 * FEE, abi.encodeCall(escrow.appeal, (terms)), noAppeal(terms));
        settle(terms, validator(7));

        assertEq(owedTo(requester, terms), PRICE + FEE + PROVIDER_STAKE / 10, "refund and a tenth");
        assertEq(lostBy(provider), PROVIDER_STAKE, "the provider's stake");
        assertEq(registry.burnt(), PROVIDER_STAKE - PROVIDER_STAKE / 10, "the rest is burnt");
        assertEq(rating.ratingOf(provider, Role.Provider).hid, 1, "hid");
        assertEq(owedTo(validator(0), terms), FEE, "the validator that had committed is paid");
        assertEq(lostBy(validator(0)), 0, "and keeps its stake");
        assertEq(registry.offerOf(validator(0)).lockedStake, 0, "and it is unlocked");
        assertEq(rating.ratingOf(validator(0), Role.Validator).settled, 1, "outcome is settled");
    }

    function _drawNext(IJob.Terms memory terms, uint256 number) private {
        assertEq(jobOf(terms).draws, number, "the number of the draw");
        bytes memory reason = seedMismatch(terms, requester);
        _assertRevertsSeed(terms, MASK_HASH, seedOf(REQUESTERS_SECRET, number - 1), reason);
        _assertRevertsSeed(terms, MASK_HASH, seedOf(REQUESTERS_SECRET, number + 1), reason);
        revealSeed(terms);
        _assertRevertsOtherSeeds(terms, number);
        drawAsProvider(terms);
    }

    function _assertRevertsOtherSeeds(IJob.Terms memory terms, uint256 number) private {
        for (uint256 i = 0; i < SEEDS; ++i) {
            if (i == number) continue;
            assertReverts(provider, drawData(terms, seedOf(PROVIDERS_SECRET, i)), seedMismatch(terms, provider));
        }
    }

    function _assertRevertsSeed(IJob.Terms memory terms, bytes32 maskHash, bytes32 seed, bytes memory reason)
        private
    {
        assertReverts(requester, abi.encodeCall(escrow.revealSeed, (terms, maskHash, seed)), reason);
    }

    function _challengeWith(IJob.Terms memory terms, uint256 number) private view returns (bytes memory) {
        return abi.encodeCall(escrow.challenge, (terms, MASK_HASH, seedOf(REQUESTERS_SECRET, number)));
    }

    /// @dev A hash of the validators drawn as replacements when the provider's seeds come from `secret`.
    function _drawnWith(IJob.Terms memory terms, bytes32 secret, bool both) private returns (bytes32) {
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
