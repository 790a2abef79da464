// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IJobEscrow} from "../interfaces/IJobEscrow.sol";

/// @notice Money in, money owed, money out. What is owed leaves only when its owner pulls it, so that no
/// payee can hold up a job.
abstract contract Ledger is IJobEscrow, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IJobEscrow
    mapping(address account => mapping(address token => uint256)) public owed;

    /// @inheritdoc IJobEscrow
    function withdraw(address token) external nonReentrant returns (uint256 amount) {
        // Check
        amount = owed[msg.sender][token];
        if (amount == 0) revert JobEscrow_NothingOwed(msg.sender, token);

        // Effect
        owed[msg.sender][token] = 0;

        emit Withdrawn(msg.sender, token, amount);

        // Interaction
        if (token == address(0)) {
            (bool sent,) = msg.sender.call{value: amount}("");
            if (!sent) revert JobEscrow_TransferFailed(msg.sender, amount);
        } else {
            IERC20(token).safeTransfer(msg.sender, amount);
        }
    }

    /// @dev Takes exactly `amount` from the caller: the coins sent with the call, or the token. Last in a call.
    function _take(address token, uint256 amount) internal {
        if (token == address(0)) {
            if (msg.value != amount) revert JobEscrow_WrongPayment(msg.value, amount);
        } else {
            if (msg.value != 0) revert JobEscrow_WrongPayment(msg.value, 0);
            _takeToken(token, amount);
        }
    }

    function _credit(address account, address token, uint256 amount) internal {
        if (amount != 0) owed[account][token] += amount;
    }

    /// @dev The guard keeps a token that calls back from having one transfer counted twice.
    function _takeToken(address token, uint256 amount) private nonReentrant {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert JobEscrow_TokenTookFee(token, received, amount);
    }
}
