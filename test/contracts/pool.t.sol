// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../contracts/interfaces/IJobEscrow.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {IProviderRegistry} from "../../contracts/interfaces/IProviderRegistry.sol";
import {Steps} from "./support/Steps.sol";

/// @notice Whom a draw sees, and whose stake nobody can take away from it.
contract PoolTest is Steps {
    uint256 private constant KEY = 777;
    /// The members by place as they were at each time that was noted.
    address[][] private _pools;
    uint256[] private _times;
    address[] private _members;

    function test_HoldsValidatorsWithThePoolsStakeOnly() public {
        uint256 before = registry.poolSize();
        vm.deal(vm.addr(KEY), 10 ether);
        publish(KEY, true, true);
        eq(registry.poolSize(), before, "not without stake");
        vm.startPrank(vm.addr(KEY));
        registry.deposit{value: POOL_STAKE - 1}();
        eq(registry.poolSize(), before, "not with too little");
        registry.deposit{value: 1}();
        eq(registry.poolSize(), before + 1, "with the pool's stake");
        registry.requestWithdrawal(1);
        eq(registry.poolSize(), before, "not once it leaves");
        vm.stopPrank();
    }

    function test_WhenOneRetires_TheOthersStay() public {
        uint256 size = registry.poolSize();
        publish(3005, true, false);
        eq(registry.poolSize(), size - 1, "one less");
        bool[] memory seen = new bool[](crowd.length);
        for (uint256 i = 0; i < size - 1; ++i) {
            address member = registry.candidate(i, vm.getBlockTimestamp(), 0, type(uint256).max);
            for (uint256 j = 0; j < crowd.length; ++j) {
                if (crowd[j] == member) seen[j] = true;
            }
        }
        for (uint256 j = 0; j < crowd.length; ++j) {
            yes(seen[j] == (crowd[j] != vm.addr(3005)), "everybody else, once");
        }
    }

    function test_WhenAMemberCannotServe_ItIsNoCandidate() public {
        uint256 now_ = vm.getBlockTimestamp();
        eq(registry.candidate(0, now_, 0, 0), address(0), "works for no less than its floor");
        eq(registry.candidate(0, now_, STAKE + 1, 1), address(0), "has no more than its stake");
        eq(registry.candidate(0, now_, STAKE, 1), provider, "else it is one");
        eq(registry.candidate(0, now_ - 1, STAKE, 1), address(0), "nobody was there before");
        reach(termsOf(1), State.Accepted);
        eq(registry.candidate(0, now_, STAKE, 1), address(0), "has less free than its stake");
    }

    /// @dev Members come and go at random; the pool of every moment can still be asked for afterwards.
    function testFuzz_ThePoolOfThePastIsAsItWas(uint256 random) public {
        for (uint256 i = 0; i < crowd.length; ++i) {
            _members.push(registry.candidate(i, vm.getBlockTimestamp(), 0, type(uint256).max));
        }
        for (uint256 i = 0; i < 24; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            _note();
            // Several changes may fall into one second: its end is what counts.
            vm.warp(vm.getBlockTimestamp() + 1 + random % 3);
            for (uint256 j = 0; j <= (random >> 8) % 3; ++j) {
                _toggle(crowd[(random >> (16 + 8 * j)) % crowd.length]);
            }
        }
        _note();
        for (uint256 i = 0; i < _times.length; ++i) {
            uint256 size = _pools[i].length;
            for (uint256 place = 0; place < size; ++place) {
                address wanted = registry.offerOf(_pools[i][place]).pooled ? _pools[i][place] : address(0);
                eq(registry.candidate(size + place, _times[i], 0, type(uint256).max), wanted, "the place of then");
            }
        }
    }

    function test_WhenSomebodyJoinsAfterwards_ADrawDoesNotSeeIt() public {
        IJobEscrow.Terms memory terms = _judged();
        uint256 start = vm.snapshotState();
        address[] memory wanted = _drawn(terms);
        vm.revertToState(start);
        // The verdict's second is over when they come: none of the seeds was known by then.
        for (uint256 i = 0; i < 20; ++i) {
            enter(5000 + i);
        }
        address[] memory drawn = _drawn(terms);
        yes(keccak256(abi.encode(drawn)) == keccak256(abi.encode(wanted)), "the same as without them");
    }

    function test_WhenSomebodyLeavesAfterwards_OnlyItsOwnSeatMovesOn() public {
        IJobEscrow.Terms memory terms = _judged();
        uint256 start = vm.snapshotState();
        address[] memory wanted = _drawn(terms);
        vm.revertToState(start);
        for (uint256 i = 0; i < crowd.length; ++i) {
            if (crowd[i] == provider || seatOf(terms, crowd[i]) != SeatStatus.None) continue;
            start = vm.snapshotState();
            vm.prank(crowd[i]);
            registry.requestWithdrawal(STAKE);
            address[] memory drawn = _drawn(terms);
            eq(drawn.length, 3, "no seat is lost");
            for (uint256 j = 0; j < wanted.length; ++j) {
                if (wanted[j] != crowd[i]) yes(_has(drawn, wanted[j]), "who was drawn without it is drawn with it");
            }
            yes(!_has(drawn, crowd[i]), "who left is not");
            vm.revertToState(start);
        }
    }

    function test_WhenMembersAreAppointed_ThePoolsStakeStaysForDraws() public {
        address member = validator(0);
        vm.prank(member);
        registry.requestWithdrawal(STAKE - uint96(POOL_STAKE) - VALIDATOR_STAKE);
        reach(termsOf(1), State.Validating);
        IJobEscrow.Terms memory second = termsOf(1);
        reach(second, State.Submitted);
        bytes memory data = abi.encodeCall(IJobEscrow.appoint, (second, appointmentsOf(1)));
        refuses(requester, data, _insufficient(member, 0, VALIDATOR_STAKE));
        eq(registry.offerOf(member).lockedStake, VALIDATOR_STAKE, "the one job's alone");

        uint256 now_ = vm.getBlockTimestamp();
        bool found = false;
        for (uint256 i = 0; i < crowd.length; ++i) {
            found = found || registry.candidate(i, now_, POOL_STAKE, type(uint256).max) == member;
        }
        yes(found, "it can be drawn for as much as a job may ask");
    }

    function test_WhenAMemberAccepts_ThePoolsStakeStaysForDraws() public {
        vm.prank(provider);
        registry.requestWithdrawal(STAKE - PROVIDER_STAKE - uint96(POOL_STAKE) + 1);
        IJobEscrow.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        bytes memory data = abi.encodeCall(IJobEscrow.accept, (terms));
        refuses(provider, data, _insufficient(provider, PROVIDER_STAKE - 1, PROVIDER_STAKE));
        // One that does not validate needs to keep nothing back.
        publish(2000, true, false);
        accept(terms);
        eq(registry.offerOf(provider).lockedStake, PROVIDER_STAKE, "locked");
    }

    function test_WhenDrawn_AMembersPoolStakeIsLocked() public {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            vm.prank(validator(i));
            registry.requestWithdrawal(STAKE - uint96(POOL_STAKE));
        }
        IJobEscrow.Terms memory terms = termsOf(1);
        terms.validatorStake = uint96(POOL_STAKE);
        reach(terms, State.Submitted);
        drawAlone(terms);
        address drawn = panelOf(terms)[0];
        eq(registry.offerOf(drawn).lockedStake, POOL_STAKE, "all that it has");
        abstainAll(terms);
        eq(registry.offerOf(drawn).lockedStake, 0, "and free again");
    }

    /// @dev Rejected by the one validator named; the second of the verdict is over, and the appeal under way.
    function _judged() private returns (IJobEscrow.Terms memory terms) {
        terms = termsOf(1);
        reach(terms, State.Rejected);
        vm.warp(vm.getBlockTimestamp() + 1);
        appeal(terms);
    }

    function _drawn(IJobEscrow.Terms memory terms) private returns (address[] memory) {
        draw(terms);
        return seatedAs(terms, SeatStatus.Appointed);
    }

    function _has(address[] memory list, address who) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == who) return true;
        }
        return false;
    }

    function _insufficient(address who, uint256 free, uint256 wanted) private pure returns (bytes memory) {
        bytes4 selector = IProviderRegistry.ProviderRegistry_InsufficientStake.selector;
        return abi.encodeWithSelector(selector, who, free, wanted);
    }

    function _note() private {
        _times.push(vm.getBlockTimestamp());
        _pools.push(_members);
    }

    /// @dev Out if it is in; in again if not. The last takes the place of one that leaves.
    function _toggle(address who) private {
        vm.startPrank(who);
        if (registry.offerOf(who).pooled) {
            registry.requestWithdrawal(STAKE);
            uint256 place = 0;
            while (_members[place] != who) ++place;
            _members[place] = _members[_members.length - 1];
            _members.pop();
        } else {
            registry.deposit{value: STAKE}();
            _members.push(who);
        }
        vm.stopPrank();
    }
}
