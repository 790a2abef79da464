// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Vm} from "./Vm.sol";

/// @notice Assertions whose reverts say what differs.
abstract contract Assert {
    error NotEqual(string what, uint256 got, uint256 wanted);
    error Untrue(string what);

    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    function assertEq(uint256 got, uint256 wanted, string memory what) internal pure {
        if (got != wanted) revert NotEqual(what, got, wanted);
    }

    function assertEq(address got, address wanted, string memory what) internal pure {
        assertEq(uint160(got), uint160(wanted), what);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert Untrue(what);
    }
}
