// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Assert} from "../support/Assert.sol";
import {Handler} from "./Handler.sol";

/// @notice Random histories that watch for one invariant of INVARIANTS.md, by its number. What concerns money,
/// stakes and ratings (1, 3, 5, 7) is compared after every call that goes through, and a difference reverts;
/// moves, ways out and bounds (2, 4, 6) are noted as they happen and told here.
abstract contract Campaign is Assert {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    uint256 private immutable NUMBER;
    Handler private handler;

    constructor(uint256 number) {
        NUMBER = number;
    }

    function setUp() public {
        handler = new Handler();
        handler.watch(NUMBER);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Steps more often than the rest, so that histories go deep.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](12);
        for (uint256 i = 0; i < 6; ++i) {
            selectors[i] = Handler.step.selector;
        }
        selectors[6] = Handler.post.selector;
        selectors[7] = Handler.meddle.selector;
        selectors[8] = Handler.wait.selector;
        selectors[9] = Handler.bank.selector;
        selectors[10] = Handler.escape.selector;
        selectors[11] = Handler.score.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function _holds() internal view {
        string memory what = handler.broken(NUMBER);
        yes(bytes(what).length == 0, what);
    }
}
