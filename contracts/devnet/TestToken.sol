// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title A token for trials, with six decimals and permits as the usual dollars have
/// @dev Only the devnet deploys it: it is no part of a market, and worth nothing.
contract TestToken is ERC20Permit {
    /// @param holders Each gets `amount`, smallest unit.
    constructor(address[] memory holders, uint256 amount) ERC20("Test Dollar", "tUSD") ERC20Permit("Test Dollar") {
        for (uint256 i = 0; i < holders.length; ++i) {
            _mint(holders[i], amount);
        }
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
