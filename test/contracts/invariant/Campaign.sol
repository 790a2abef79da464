// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deploy} from "../support/Deploy.sol";
import {Handler} from "./Handler.sol";

/// @notice Checks one invariant of INVARIANTS.md, by its number, over random histories. Money, stakes and ratings (1,
/// 3, 5, 7) are compared after every call that succeeds, and a difference reverts; violations of the others (2, 4, 6,
/// 8) are noted as they happen and reported here.
abstract contract Campaign is Deploy {
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
        handler = Handler(deploy("Handler", ""));
        handler.watch(NUMBER);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Half of the calls are `step`, so that histories go deep.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](12);
        for (uint256 i = 0; i < 6; ++i) {
            selectors[i] = Handler.step.selector;
        }
        selectors[6] = Handler.post.selector;
        selectors[7] = Handler.callAnything.selector;
        selectors[8] = Handler.passTime.selector;
        selectors[9] = Handler.moveMoney.selector;
        selectors[10] = Handler.finishAlone.selector;
        selectors[11] = Handler.score.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function _holds() internal view {
        string memory what = handler.broken(NUMBER);
        assertTrue(bytes(what).length == 0, what);
    }
}
