// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Assert} from "./Assert.sol";

/// @notice Deploys contracts by their artifacts: `new` would have the compiler optimise the code of the deployed contract
/// once more for each test that can reach it, which takes many minutes.
abstract contract Deploy is Assert {
    /// @notice The whole market: registry and rating first, for the address that the escrow will have.
    function deployMarket(uint256 poolStake, uint256 cooldown) internal returns (IJobEscrow) {
        address[] memory escrows = new address[](1);
        escrows[0] = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 3);
        address rating = deploy("ProviderRating", abi.encode(escrows));
        address registry = deploy("ProviderRegistry", abi.encode(rating, escrows, poolStake, cooldown));
        address exceptions = deploy("JobExceptions", abi.encode(registry, rating));
        return IJobEscrow(deploy("JobEscrow", abi.encode(registry, rating, exceptions)));
    }

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
