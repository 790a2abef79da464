// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IEscrowList} from "../interfaces/IEscrowList.sol";

/// @title The escrows that a registry or a rating serves; see {IEscrowList}
/// @dev Their addresses are part of the code: the check of a call reads no storage.
abstract contract EscrowList is IEscrowList {
    address private immutable ESCROW_0;
    address private immutable ESCROW_1;
    address private immutable ESCROW_2;
    address private immutable ESCROW_3;

    /// @param escrows One to four; those that are deployed later have the addresses that follow from their deployer's
    /// nonce.
    constructor(address[] memory escrows) {
        uint256 count = escrows.length;
        if (count == 0 || count > 4) revert EscrowList_WrongCount(count);
        for (uint256 i = 0; i < count; ++i) {
            if (escrows[i] == address(0)) revert EscrowList_ZeroAddress();
        }
        ESCROW_0 = escrows[0];
        ESCROW_1 = count > 1 ? escrows[1] : address(0);
        ESCROW_2 = count > 2 ? escrows[2] : address(0);
        ESCROW_3 = count > 3 ? escrows[3] : address(0);
    }

    /// @inheritdoc IEscrowList
    function isEscrow(address account) public view returns (bool) {
        if (account == ESCROW_0) return true;
        return account != address(0) && (account == ESCROW_1 || account == ESCROW_2 || account == ESCROW_3);
    }
}
