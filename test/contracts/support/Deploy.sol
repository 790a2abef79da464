// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Assert} from "./Assert.sol";

/// @notice Deploys contracts by their artifacts: `new` would have the compiler optimise the code of the deployed contract
/// once more for each test that can reach it, which takes many minutes.
abstract contract Deploy is Assert {
    /// @param name Contract whose artifact is deployed.
    /// @param arguments Its constructor's arguments, ABI-encoded.
    function deploy(string memory name, bytes memory arguments) internal returns (address deployed) {
        bytes memory code = bytes.concat(vm.getCode(name), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        assertTrue(deployed != address(0), name);
    }
}
