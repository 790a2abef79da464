// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IEscrowMoney} from "../interfaces/IEscrowMoney.sol";

/// @notice Money in and out of an escrow: taken from the caller, owed to accounts, paid to their payees; see
/// {IEscrowMoney}.
/// @dev A stranger's code runs in two places only, a token's transfer and a payee's `receive`: {_takeToken} and
/// {withdraw} share one guard.
abstract contract EscrowMoney is IEscrowMoney, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    address internal constant COIN = address(0);

    /// @inheritdoc IEscrowMoney
    mapping(address account => mapping(address token => uint256)) public owed;

    /// @inheritdoc IEscrowMoney
    function withdraw(address account, address token) external nonReentrant returns (uint256 amount) {
        // Check
        address payee = _payeeFor(account, msg.sender);
        amount = owed[account][token];
        if (amount == 0) revert Escrow_NothingOwed(account, token);

        // Effect
        owed[account][token] = 0;
        emit Withdrawn(account, token, payee, amount);

        // Interaction
        _pay(token, payee, amount);
    }

    /// @dev Where a withdrawal by `caller` goes; reverts unless that is the account or its owner.
    function _payeeFor(address account, address caller) internal view virtual returns (address);

    /// @dev Takes exactly `amount` from the caller: the coins sent with the call, or the token.
    /// @dev Warning: a token can call back, so this comes last in a call, after all effects.
    function _take(address token, uint256 amount) internal {
        if (token == COIN) {
            if (msg.value != amount) revert Escrow_WrongPayment(msg.value, amount);
        } else {
            if (msg.value != 0) revert Escrow_WrongPayment(msg.value, 0);
            _takeToken(token, amount);
        }
    }

    /// @dev The guard keeps a token that calls back from having one transfer counted for two calls, and from
    /// withdrawing what it has not paid yet.
    function _takeToken(address token, uint256 amount) private nonReentrant {
        if (token.code.length == 0) revert Escrow_NotToken(token);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert Escrow_TokenTookFee(token, received, amount);
    }

    function _credit(address account, address token, uint256 amount) internal {
        if (amount != 0) owed[account][token] += amount;
    }

    /// @dev Warning: runs the code of `to` or of the token with all remaining gas; only under the guard.
    function _pay(address token, address to, uint256 amount) internal {
        if (token == COIN) {
            (bool sent,) = to.call{value: amount}("");
            if (!sent) revert Escrow_TransferFailed(to, amount);
        } else {
            IERC20(token).safeTransfer(to, amount);
        }
    }
}
