// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice A contract wallet: its owner signs for it (ERC-1271) and makes it call other contracts.
contract ContractWallet is IERC1271 {
    address private _owner;

    constructor(address owner) payable {
        _owner = owner;
    }

    /// @notice Changes the owner: the former one's signatures are invalid from then on.
    function pass(address owner) external {
        _owner = owner;
    }

    receive() external payable {}

    function isValidSignature(bytes32 digest, bytes calldata signature) external view virtual returns (bytes4) {
        (address signer,,) = ECDSA.tryRecover(digest, signature);
        return signer == _owner ? IERC1271.isValidSignature.selector : bytes4(0);
    }

    /// @notice Reverts as the call does.
    function act(address to, uint256 value, bytes calldata data) external {
        (bool done, bytes memory reason) = to.call{value: value}(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }
}

/// @notice A contract wallet that confirms no signature, in one of the ways in which contracts fail to.
contract BrokenWallet is ContractWallet {
    uint256 private immutable WAY;

    constructor(uint256 way) ContractWallet(address(0)) {
        WAY = way;
    }

    function isValidSignature(bytes32, bytes calldata) external view override returns (bytes4) {
        if (WAY == 0) revert("no");
        uint256 size = WAY == 1 ? 0 : WAY == 2 ? 4 : 32;
        // No answer; the magic value cut to four bytes; the magic value with another bit set.
        uint256 word = uint256(bytes32(IERC1271.isValidSignature.selector));
        if (WAY == 3) word |= 1;
        assembly ("memory-safe") {
            mstore(0, word)
            return(0, size)
        }
    }
}
