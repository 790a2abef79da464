// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Assert} from "../support/Assert.sol";
import {Handler} from "./Handler.sol";

/// @notice The seven invariants of INVARIANTS.md, over random histories of calls by everybody.
contract InvariantsTest is Assert {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private handler;

    function setUp() public {
        handler = new Handler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Steps more often than the rest, so that histories go deep.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = Handler.post.selector;
        selectors[1] = Handler.step.selector;
        selectors[2] = Handler.step.selector;
        selectors[3] = Handler.step.selector;
        selectors[4] = Handler.step.selector;
        selectors[5] = Handler.meddle.selector;
        selectors[6] = Handler.wait.selector;
        selectors[7] = Handler.bank.selector;
        selectors[8] = Handler.escape.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// @dev Money, stakes and ratings (1, 5, 7) are compared after every call that goes through, and revert;
    /// moves, ways out and bounds (2, 4, 6) are noted. What a job's end must pay (3) is in exit.t.sol.
    function invariant_AllOfThem() public view {
        for (uint256 i = 1; i <= 7; ++i) {
            string memory what = handler.broken(i);
            yes(bytes(what).length == 0, what);
        }
    }
}
