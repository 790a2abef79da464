// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowList} from "../../contracts/interfaces/IEscrowList.sol";
import {IProviderRegistry} from "../../contracts/interfaces/IProviderRegistry.sol";
import {IProviderRating, Outcome, Role} from "../../contracts/interfaces/IProviderRating.sol";
import {Harness} from "./support/Harness.sol";

/// @notice See deployment.tree.
contract DeploymentTest is Harness {
    function test_WhenFourEscrowsAreListed_TheyAndNobodyElseMayWrite() public {
        address[] memory escrows = _list(4);
        IProviderRating rates = IProviderRating(deploy("ProviderRating", abi.encode(escrows)));
        for (uint256 i = 0; i < 4; ++i) {
            assertTrue(rates.isEscrow(escrows[i]), "listed");
            vm.prank(escrows[i]);
            rates.record(provider, Role.Provider, Outcome.Settled);
        }
        assertEq(rates.ratingOf(provider, Role.Provider).settled, 4, "each has written");
        assertTrue(!rates.isEscrow(vm.addr(9)) && !rates.isEscrow(address(0)), "no other account");
        vm.expectRevert(abi.encodeWithSelector(IProviderRating.ProviderRating_NotEscrow.selector, vm.addr(9)));
        vm.prank(vm.addr(9));
        rates.record(provider, Role.Provider, Outcome.Settled);
    }

    function test_RevertWhen_TheListIsEmptyTooLongOrHasTheZeroAddress() public {
        _assertNoRating(_list(0), abi.encodeWithSelector(IEscrowList.EscrowList_WrongCount.selector, 0));
        _assertNoRating(_list(5), abi.encodeWithSelector(IEscrowList.EscrowList_WrongCount.selector, 5));
        address[] memory zero = _list(2);
        zero[1] = address(0);
        _assertNoRating(zero, abi.encodeWithSelector(IEscrowList.EscrowList_ZeroAddress.selector));
    }

    function test_RevertWhen_TheEscrowIsNotListed() public {
        bytes memory arguments = abi.encode(registry, rating, deploy("JobExceptions", abi.encode(registry, rating)));
        assertTrue(!_creates("JobEscrow", arguments), "the registry lists another address");
    }

    function test_RevertWhen_ItsOtherHalfIsForAnotherRegistry() public {
        address[] memory escrows = new address[](1);
        escrows[0] = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 3);
        address rates = deploy("ProviderRating", abi.encode(escrows));
        address offers = deploy("ProviderRegistry", abi.encode(rates, escrows, POOL_STAKE, COOLDOWN));
        address exceptions = deploy("JobExceptions", abi.encode(registry, rating));
        assertTrue(!_creates("JobEscrow", abi.encode(offers, rates, exceptions)), "the halves differ");
    }

    function test_WhenTheOtherHalfIsCalledDirectly_ItHasNoJobs() public {
        address exceptions = deploy("JobExceptions", abi.encode(registry, rating));
        (bool done,) = exceptions.call(abi.encodeWithSignature("owed(address,address)", provider, address(0)));
        assertTrue(done, "it answers");
        assertTrue(!IProviderRegistry(registry).isEscrow(exceptions), "and may write nothing");
    }

    function _list(uint256 count) private pure returns (address[] memory escrows) {
        escrows = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            escrows[i] = vm.addr(100 + i);
        }
    }

    function _assertNoRating(address[] memory escrows, bytes memory reason) private {
        bytes memory code = bytes.concat(vm.getCode("ProviderRating"), abi.encode(escrows));
        address deployed;
        bytes memory why;
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
            why := mload(0x40)
            mstore(why, returndatasize())
            returndatacopy(add(why, 32), 0, returndatasize())
            mstore(0x40, add(add(why, 32), and(add(returndatasize(), 31), not(31))))
        }
        assertTrue(deployed == address(0), "not deployed");
        assertTrue(keccak256(why) == keccak256(reason), "and it says why");
    }

    function _creates(string memory name, bytes memory arguments) private returns (bool) {
        bytes memory code = bytes.concat(vm.getCode(name), arguments);
        address deployed;
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        return deployed != address(0);
    }
}
