// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deploy} from "../support/Deploy.sol";
import {OwnersHandler} from "./OwnersHandler.sol";

/// @notice The invariant of accounts and their owners in INVARIANTS.md. A difference reverts in the handler.
contract Invariant13Test is Deploy {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    OwnersHandler private handler;

    function setUp() public {
        handler = OwnersHandler(deploy("OwnersHandler", ""));
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = OwnersHandler.earn.selector;
        selectors[1] = OwnersHandler.wait.selector;
        selectors[2] = OwnersHandler.offer.selector;
        selectors[3] = OwnersHandler.accept.selector;
        selectors[4] = OwnersHandler.setPayee.selector;
        selectors[5] = OwnersHandler.deposit.selector;
        selectors[6] = OwnersHandler.requestWithdrawal.selector;
        selectors[7] = OwnersHandler.withdrawStake.selector;
        selectors[8] = OwnersHandler.withdraw.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_AnAccountsMoneyGoesWhereItsOwnerSaid() public view {
        assertTrue(address(handler) != address(0), "checked after every call");
    }
}
