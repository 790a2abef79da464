// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Money that an escrow owes
/// @notice Payments are credited, never sent: a payee that refuses its money cannot hold up a job.
interface IEscrowMoney {
    /// @notice `payee` got what `account` was owed in `token`.
    event Withdrawn(address indexed account, address indexed token, address payee, uint256 amount);

    error Escrow_WrongPayment(uint256 sent, uint256 wanted);
    /// @notice The token took part of the transfer, or none was made.
    error Escrow_TokenTookFee(address token, uint256 received, uint256 wanted);
    /// @notice There is no contract at the token's address.
    error Escrow_NotToken(address token);
    error Escrow_NothingOwed(address account, address token);
    error Escrow_TransferFailed(address to, uint256 amount);

    /// @notice Pays all that `account` is owed in `token` (zero: the coin) to its payee, see
    /// {IProviderRegistry.setPayee}. Only the account and its owner.
    /// @dev Warning: reverts for a payee that refuses the coin, which then stays owed to the account.
    /// @return amount Smallest unit.
    function withdraw(address account, address token) external returns (uint256 amount);

    /// @notice The amount that {withdraw} would pay `account` in `token`, smallest unit.
    function owed(address account, address token) external view returns (uint256);
}
