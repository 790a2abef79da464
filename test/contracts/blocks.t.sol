// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJob, State} from "../../contracts/interfaces/IJob.sol";
import {Steps} from "./support/Steps.sol";

/// @notice The contracts do not depend on block numbers, which other chains count differently. See blocks.tree.
contract BlocksTest is Steps {
    /// @dev The block number at each step; when empty it does not change.
    uint256[] private _heights;
    uint256 private _step;

    function testFuzz_WhenBlockNumbersJumpOrStall_NothingChanges(uint64[12] calldata heights) public {
        bytes32 wanted = _play();
        for (uint256 i = 0; i < heights.length; ++i) {
            _heights.push(heights[i]);
        }
        assertTrue(_play() == wanted, "the same seats, states and sums");
    }

    function testFuzz_WhenBlockNumbersGoBackOrStall_TheDrawSucceeds(uint64 before, uint64 afterwards) public {
        IJob.Terms memory terms = termsOf(1);
        reach(terms, State.Rejected);
        vm.roll(before);
        appeal(terms);
        revealSeed(terms);
        vm.roll(afterwards);
        drawAsProvider(terms);
        assertEq(jobOf(terms).seats, 3, "drawn at the first try");
        assertReverts(provider, drawData(terms), nothingToDraw(terms));
    }

    /// @dev Plays a job with every kind of draw, always from the same state of the chain, and hashes how it ended.
    function _play() private returns (bytes32 outcome) {
        uint256 start = vm.snapshotState();
        IJob.Terms memory terms = termsOf(2);
        _roll();
        reach(terms, State.Submitted);
        _roll();
        drawAlone(terms);
        _roll();
        commit(terms, panelOf(terms)[0], wrong());
        abstainAll(terms);
        _roll();
        draw(terms);
        _roll();
        decide(terms, wrong());
        _roll();
        appeal(terms);
        _roll();
        drawAlone(terms);
        decide(terms, honest());
        _roll();
        claim(terms);
        _roll();
        challenge(terms);
        _roll();
        drawAsProvider(terms);
        _roll();
        decide(terms, wrong());
        _roll();
        outcome = keccak256(abi.encode(escrow.recordOf(escrow.jobIdOf(terms)), panelOf(terms)));
        settle(terms, requester);
        outcome = keccak256(abi.encode(outcome, escrow.owed(requester, address(0)), escrow.owed(provider, address(0))));
        vm.revertToState(start);
    }

    function _roll() private {
        if (_heights.length != 0) vm.roll(_heights[_step++ % _heights.length]);
    }
}
