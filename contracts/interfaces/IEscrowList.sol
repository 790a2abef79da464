// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title The escrows that a registry or a rating serves
/// @notice One market can have several kinds of work, each with its escrow; they share offers, stakes and ratings. The
/// list is fixed at deployment: a new kind of work is a new market.
interface IEscrowList {
    /// @notice A list has one to four escrows.
    error EscrowList_WrongCount(uint256 count);
    error EscrowList_ZeroAddress();

    /// @notice Whether `account` is one of the escrows, which alone may write.
    function isEscrow(address account) external view returns (bool);
}
