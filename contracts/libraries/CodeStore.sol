// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice Stores bytes as the code of a contract that cannot be called: 200 gas a byte instead of 690 in storage, and
/// one cold access to read any length.
library CodeStore {
    error CodeStore_WriteFailed();

    /// Creation code that returns all bytes after these 11 as the contract's code. {write} puts STOP first, so that a
    /// call does nothing.
    bytes11 private constant PREFIX = 0x600B5981380380925939F3;

    function write(bytes memory data) internal returns (address pointer) {
        bytes memory creation = abi.encodePacked(PREFIX, bytes1(0), data);
        assembly ("memory-safe") {
            pointer := create(0, add(creation, 32), mload(creation))
        }
        if (pointer == address(0)) revert CodeStore_WriteFailed();
    }

    /// @dev Empty for an address without code.
    function read(address pointer) internal view returns (bytes memory data) {
        uint256 size = pointer.code.length;
        if (size < 2) return data;
        data = new bytes(size - 1);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(data, 32), 1, sub(size, 1))
        }
    }
}
