// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, SeatStatus, State} from "../../contracts/interfaces/IJob.sol";
import {Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Steps} from "./support/Steps.sol";

/// @notice The pool that draws pick from, and the stake that is reserved for them. See pool.tree.
contract PoolTest is Steps {
    uint256 private constant KEY = 777;
    /// The members by place, at each time in `_times`.
    address[][] private _pools;
    uint256[] private _times;
    address[] private _members;

    function test_HoldsValidatorsWithThePoolsStakeOnly() public {
        uint256 before = registry.poolSize();
        vm.deal(vm.addr(KEY), 10 ether);
        publish(KEY, true, true);
        assertEq(registry.poolSize(), before, "not without stake");
        vm.startPrank(vm.addr(KEY));
        registry.deposit{value: POOL_STAKE - 1}(vm.addr(KEY));
        assertEq(registry.poolSize(), before, "not with too little");
        registry.deposit{value: 1}(vm.addr(KEY));
        assertEq(registry.poolSize(), before + 1, "with the pool's stake");
        registry.requestWithdrawal(vm.addr(KEY), 1);
        assertEq(registry.poolSize(), before, "not once it leaves");
        vm.stopPrank();
    }

    function test_WhenAMemberLeaves_TheOthersStay() public {
        uint256 size = registry.poolSize();
        publish(3005, true, false);
        assertEq(registry.poolSize(), size - 1, "one less");
        bool[] memory seen = new bool[](accounts.length);
        for (uint256 i = 0; i < size - 1; ++i) {
            address member = registry.candidate(i, vm.getBlockTimestamp(), 0, type(uint256).max);
            for (uint256 j = 0; j < accounts.length; ++j) {
                if (accounts[j] == member) seen[j] = true;
            }
        }
        for (uint256 j = 0; j < accounts.length; ++j) {
            assertTrue(seen[j] == (accounts[j] != vm.addr(3005)), "every other member, once");
        }
    }

    function test_WhenAMemberCannotServe_ItIsNoCandidate() public {
        uint256 current = vm.getBlockTimestamp();
        assertEq(registry.candidate(0, current, 0, 0), address(0), "not below its fee floor");
        assertEq(registry.candidate(0, current, STAKE + 1, 1), address(0), "not with more than its stake");
        assertEq(registry.candidate(0, current, STAKE, 1), provider, "else it is a candidate");
        assertEq(registry.candidate(0, current - 1, STAKE, 1), address(0), "the pool was empty before");
        reach(termsOf(1), State.Accepted);
        assertEq(registry.candidate(0, current, STAKE, 1), address(0), "not with stake that is locked");
    }

    /// @dev Members join and leave at random; afterwards the pool of every past second can still be read.
    function testFuzz_ThePoolOfThePastDoesNotChange(uint256 random) public {
        for (uint256 i = 0; i < accounts.length; ++i) {
            _members.push(registry.candidate(i, vm.getBlockTimestamp(), 0, type(uint256).max));
        }
        for (uint256 i = 0; i < 24; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            _note();
            // Several changes may fall into one second: the pool at its end counts.
            vm.warp(vm.getBlockTimestamp() + 1 + random % 3);
            for (uint256 j = 0; j <= (random >> 8) % 3; ++j) {
                _toggle(accounts[(random >> (16 + 8 * j)) % accounts.length]);
            }
        }
        _note();
        for (uint256 i = 0; i < _times.length; ++i) {
            uint256 size = _pools[i].length;
            for (uint256 place = 0; place < size; ++place) {
                address wanted = registry.offerOf(_pools[i][place]).pooled ? _pools[i][place] : address(0);
                address member = registry.candidate(size + place, _times[i], 0, type(uint256).max);
                assertEq(member, wanted, "the member that had the place");
            }
        }
    }

    function test_WhenAccountsJoinAfterwards_TheDrawIsTheSame() public {
        IJob.Terms memory terms = _judged();
        uint256 start = vm.snapshotState();
        address[] memory wanted = _drawn(terms);
        vm.revertToState(start);
        // They join after the second of the verdict, until which no seed was known.
        for (uint256 i = 0; i < 20; ++i) {
            join(5000 + i);
        }
        address[] memory drawn = _drawn(terms);
        assertTrue(keccak256(abi.encode(drawn)) == keccak256(abi.encode(wanted)), "the same as without them");
    }

    function test_WhenAMemberLeavesAfterwards_OnlyItsSeatGoesToAnother() public {
        IJob.Terms memory terms = _judged();
        uint256 start = vm.snapshotState();
        address[] memory wanted = _drawn(terms);
        vm.revertToState(start);
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] == provider || seatOf(terms, accounts[i]) != SeatStatus.None) continue;
            start = vm.snapshotState();
            vm.prank(accounts[i]);
            registry.requestWithdrawal(accounts[i], STAKE);
            address[] memory drawn = _drawn(terms);
            assertEq(drawn.length, 3, "no seat is lost");
            for (uint256 j = 0; j < wanted.length; ++j) {
                if (wanted[j] != accounts[i]) assertTrue(_has(drawn, wanted[j]), "the others are drawn again");
            }
            assertTrue(!_has(drawn, accounts[i]), "the member that left is not");
            vm.revertToState(start);
        }
    }

    function test_WhenMembersAreAppointed_ThePoolsStakeStaysForDraws() public {
        address member = validator(0);
        vm.prank(member);
        registry.requestWithdrawal(member, STAKE - uint96(POOL_STAKE) - VALIDATOR_STAKE);
        reach(termsOf(1), State.Validating);
        IJob.Terms memory second = termsOf(1);
        reach(second, State.Submitted);
        bytes memory data = abi.encodeCall(escrow.appoint, (second, appointmentsOf(1)));
        assertReverts(requester, data, insufficientStake(member, 0, VALIDATOR_STAKE));
        assertEq(registry.offerOf(member).lockedStake, VALIDATOR_STAKE, "by one job only");

        uint256 current = vm.getBlockTimestamp();
        bool found = false;
        for (uint256 i = 0; i < accounts.length; ++i) {
            found = found || registry.candidate(i, current, POOL_STAKE, type(uint256).max) == member;
        }
        assertTrue(found, "it can be drawn for as much as a job may ask");
    }

    function test_WhenAMemberAccepts_ThePoolsStakeStaysForDraws() public {
        vm.prank(provider);
        registry.requestWithdrawal(provider, STAKE - PROVIDER_STAKE - uint96(POOL_STAKE) + 1);
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Posted);
        bytes memory data = abi.encodeCall(escrow.accept, (terms));
        assertReverts(provider, data, insufficientStake(provider, PROVIDER_STAKE - 1, PROVIDER_STAKE));
        // A provider that does not validate has no stake reserved for draws.
        publish(2000, true, false);
        accept(terms);
        assertEq(registry.offerOf(provider).lockedStake, PROVIDER_STAKE, "locked");
    }

    function test_WhenAMemberIsDrawn_ThePoolsStakeIsLocked() public {
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            address member = validator(i);
            vm.prank(member);
            registry.requestWithdrawal(member, STAKE - uint96(POOL_STAKE));
        }
        IJob.Terms memory terms = termsOf(1);
        terms.validatorStake = uint96(POOL_STAKE);
        reach(terms, State.Submitted);
        drawAlone(terms);
        address drawn = panelOf(terms)[0];
        assertEq(registry.offerOf(drawn).lockedStake, POOL_STAKE, "all that it has");
        abstainAll(terms);
        assertEq(registry.offerOf(drawn).lockedStake, 0, "and unlocked again");
    }

    /// @dev Rejected by the one named validator and appealed in a later second.
    function _judged() private returns (IJob.Terms memory terms) {
        terms = termsOf(1);
        reach(terms, State.Rejected);
        vm.warp(vm.getBlockTimestamp() + 1);
        appeal(terms);
    }

    function _drawn(IJob.Terms memory terms) private returns (address[] memory) {
        draw(terms);
        return seatedAs(terms, SeatStatus.Appointed);
    }

    function _has(address[] memory list, address who) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == who) return true;
        }
        return false;
    }

    function _note() private {
        _times.push(vm.getBlockTimestamp());
        _pools.push(_members);
    }

    /// @dev Takes a member out of the pool, or puts it in again. The last takes the place of one that leaves.
    function _toggle(address who) private {
        vm.startPrank(who);
        if (registry.offerOf(who).pooled) {
            registry.requestWithdrawal(who, STAKE);
            uint256 place = 0;
            while (_members[place] != who) ++place;
            _members[place] = _members[_members.length - 1];
            _members.pop();
        } else {
            registry.deposit{value: STAKE}(who);
            _members.push(who);
        }
        vm.stopPrank();
    }
}
