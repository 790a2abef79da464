// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, State} from "../../contracts/interfaces/IJob.sol";
import {Rule} from "../../contracts/libraries/Rule.sol";
import {Schedule} from "../../contracts/libraries/Schedule.sol";
import {Steps} from "./support/Steps.sol";

/// @notice See terms.tree.
contract TermsTest is Steps {
    uint256 private constant WINDOWS = 7;

    function test_WhenEveryWindowIsAtItsFloor_ItIsPosted() public {
        IJob.Terms memory terms = termsOf(1);
        for (uint256 i = 0; i < WINDOWS; ++i) {
            terms.schedule = _with(terms.schedule, i, _floorOf(i));
        }
        post(terms);
        assertTrue(stateOf(terms) == State.Posted, "posted");
    }

    function test_RevertWhen_AWindowIsASecondBelowItsFloor() public {
        for (uint256 i = 0; i < WINDOWS; ++i) {
            // Windows of optimistic jobs too: a challenge and an appeal use them all.
            for (uint8 validators = 0; validators < 2; ++validators) {
                IJob.Terms memory terms = termsOf(validators);
                terms.schedule = _with(terms.schedule, i, _floorOf(i) - 1);
                _assertReverts(terms);
                terms.schedule = _with(terms.schedule, i, 0);
                _assertReverts(terms);
            }
        }
    }

    function test_WhenTheValidatorStakeIsThatOfThePool_ItIsPosted() public {
        IJob.Terms memory terms = termsOf(1);
        terms.validatorStake = uint96(POOL_STAKE);
        post(terms);
        assertTrue(stateOf(terms) == State.Posted, "posted");
    }

    function test_RevertWhen_TheValidatorStakeIsAboveThatOfThePool() public {
        IJob.Terms memory terms = termsOf(1);
        terms.validatorStake = uint96(POOL_STAKE + 1);
        _assertReverts(terms);
        // Optimistic jobs too: a challenge draws from the same pool.
        terms = termsOf(0);
        terms.validatorStake = uint96(POOL_STAKE + 1);
        _assertReverts(terms);
    }

    function test_RevertWhen_TheProviderIsTheZeroAddressOrTheRequester() public {
        IJob.Terms memory terms = termsOf(1);
        terms.provider = requester;
        _assertReverts(terms);
        terms.provider = address(0);
        _assertReverts(terms);
    }

    function test_RevertWhen_TooManyValidatorsAreAskedFor() public {
        _assertReverts(termsOf(8));
        post(termsOf(7));
    }

    function test_RevertWhen_AWordHasBitsOutsideItsFields() public {
        IJob.Terms memory terms = termsOf(1);
        terms.rule = Rule.wrap(Rule.unwrap(terms.rule) | 4);
        _assertReverts(terms);
        terms = termsOf(1);
        terms.rule = Rule.wrap(Rule.unwrap(terms.rule) | (1 << 192));
        _assertReverts(terms);
        terms = termsOf(1);
        terms.schedule = Schedule.wrap(Schedule.unwrap(terms.schedule) | (1 << 208));
        _assertReverts(terms);
    }

    function test_RevertWhen_AShareIsAboveTheWholeOrAFloorAboveItsCap() public {
        IJob.Terms memory terms = termsOf(1);
        uint256 rest = Rule.unwrap(terms.rule) & ((1 << 144) - 1);
        uint256[3] memory shares = [sharesOf(10_001, 0, 0), sharesOf(0, 0, 10_001), sharesOf(0, 2, 1)];
        for (uint256 i = 0; i < 3; ++i) {
            terms.rule = Rule.wrap(rest | (shares[i] << 144));
            _assertReverts(terms);
        }
        terms.rule = Rule.wrap(rest | (sharesOf(10_000, 10_000, 10_000) << 144));
        post(terms);
    }

    function test_RevertWhen_PostedAfterAcceptBy() public {
        IJob.Terms memory terms = termsOf(1);
        vm.warp(terms.schedule.acceptBy() + 1);
        assertReverts(requester, PRICE + FEE, _postData(terms), tooLate(terms, terms.schedule.acceptBy()));
    }

    function test_RevertWhen_PostedTwice() public {
        IJob.Terms memory terms = termsOf(1);
        post(terms);
        vm.prank(requester);
        escrow.cancel(terms);
        bytes4 selector = IJob.JobEscrow_AlreadyPosted.selector;
        bytes memory reason = abi.encodeWithSelector(selector, escrow.jobIdOf(terms));
        assertReverts(requester, PRICE + FEE, _postData(terms), reason);
    }

    function test_RevertWhen_AnotherAccountThanTheRequesterPosts() public {
        IJob.Terms memory terms = termsOf(1);
        assertReverts(provider, PRICE + FEE, _postData(terms), notParty(terms, provider));
    }

    function _assertReverts(IJob.Terms memory terms) private {
        uint256 sum = terms.price + uint256(terms.rule.validators()) * terms.validatorFee;
        bytes memory reason = abi.encodeWithSelector(IJob.JobEscrow_InvalidTerms.selector);
        assertReverts(requester, sum, _postData(terms), reason);
    }

    function _postData(IJob.Terms memory terms) private view returns (bytes memory) {
        return abi.encodeCall(escrow.post, (terms, tipOf(REQUESTERS_SECRET), ""));
    }

    /// @dev Seconds. The windows are, in order: run, appoint, commit, reveal, claim, challenge, appeal.
    function _floorOf(uint256 window) private pure returns (uint24) {
        return window == 0 ? 60 : 300;
    }

    function _with(Schedule schedule, uint256 window, uint24 length) private pure returns (Schedule) {
        uint256 shift = 40 + 24 * window;
        uint256 others = Schedule.unwrap(schedule) & ~(uint256(type(uint24).max) << shift);
        return Schedule.wrap(others | (uint256(length) << shift));
    }
}
