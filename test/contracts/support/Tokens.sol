// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IJobEscrow} from "../../../contracts/interfaces/IJobEscrow.sol";

/// @notice A plain ERC-20.
contract PlainToken is ERC20("Plain", "PLN") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @notice A token with permits, whose issuer can freeze accounts.
contract PermitToken is ERC20Permit {
    mapping(address account => bool) public frozen;

    constructor() ERC20("Dollar", "USD") ERC20Permit("Dollar") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function freeze(address account) external {
        frozen[account] = true;
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!frozen[from] && !frozen[to], "frozen");
        super._update(from, to, amount);
    }
}

/// @notice Changes an approval only by way of none, as some old dollars do.
contract CautiousToken is ERC20("Cautious", "CAU") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function approve(address spender, uint256 amount) public override returns (bool) {
        require(amount == 0 || allowance(msg.sender, spender) == 0, "approved already");
        return super.approve(spender, amount);
    }
}

/// @notice Answers as it is told, call by call, and reverts where it is told nothing.
contract ScriptedToken {
    mapping(bytes4 selector => bytes) private _answers;

    function answer(bytes4 selector, bytes calldata data) external {
        _answers[selector] = data;
    }

    fallback(bytes calldata) external returns (bytes memory found) {
        found = _answers[msg.sig];
        require(found.length != 0, "untold");
    }
}

/// @notice Takes 1 % of every transfer.
contract TaxedToken is ERC20("Taxed", "TAX") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 tax = from == address(0) || to == address(0) ? 0 : amount / 100;
        if (tax != 0) super._update(from, address(0), tax);
        super._update(from, to, amount - tax);
    }
}

/// @notice Posts a second job from within a transfer, so that one payment would count for both.
contract ReentrantToken is ERC20("Reentrant", "RE") {
    IJobEscrow private _escrow;
    bytes private _call;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function callBack(IJobEscrow escrow, bytes calldata data) external {
        (_escrow, _call) = (escrow, data);
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (_call.length != 0 && to == address(_escrow)) {
            bytes memory data = _call;
            delete _call;
            (bool done, bytes memory reason) = address(_escrow).call(data);
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(reason, 32), mload(reason))
                }
            }
        }
        super._update(from, to, amount);
    }
}

/// @notice A contract that calls `withdraw` again while it is paid.
contract ReentrantPayee {
    IJobEscrow private immutable ESCROW;
    bytes public reason;

    constructor(IJobEscrow escrow) {
        ESCROW = escrow;
    }

    receive() external payable {
        try ESCROW.withdraw(address(this), address(0)) {}
        catch (bytes memory why) {
            reason = why;
        }
    }

    function act(uint256 value, bytes calldata data) external {
        (bool done, bytes memory why) = address(ESCROW).call{value: value}(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(why, 32), mload(why))
            }
        }
    }
}

/// @notice A contract that refuses coins.
contract RefusingPayee {
    function act(address to, uint256 value, bytes calldata data) external {
        (bool done, bytes memory why) = to.call{value: value}(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(why, 32), mload(why))
            }
        }
    }
}
