// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowMoney} from "../../../contracts/interfaces/IEscrowMoney.sol";
import {State} from "../../../contracts/interfaces/IJob.sol";
import {IProviderRegistry} from "../../../contracts/interfaces/IProviderRegistry.sol";
import {Steps} from "../support/Steps.sol";

/// @notice Accounts, those that may own them and a stranger move stake, pay and ownership at random. A model says of each
/// call whether it must succeed, and who then has the money; a difference reverts, and so fails the campaign.
contract OwnersHandler is Steps {
    struct Held {
        address owner;
        address offered;
        address payee;
        uint256 stake;
        uint256 leaving;
        uint256 leavingAt;
    }

    /// The two accounts, three others, and the zero address, which only names no account.
    address[6] private _names;
    mapping(address account => Held) private _held;
    mapping(address who => uint256) private _coins;

    constructor() {
        setUp();
        (_names[0], _names[1]) = (provider, validator(0));
        for (uint256 i = 0; i < 5; ++i) {
            if (i > 1) _names[i] = vm.addr(9000 + i);
            vm.deal(_names[i], 100 ether);
            _coins[_names[i]] = 100 ether;
        }
        for (uint256 i = 0; i < 2; ++i) {
            _held[_names[i]].owner = _names[i];
            _held[_names[i]].stake = STAKE;
        }
    }

    /// @notice A job pays both accounts.
    function earn() external {
        // Both keep enough stake only while their owners leave it.
        try this.play() {} catch {}
    }

    function play() external {
        reach(termsOf(1), State.Settled);
    }

    function wait(uint16 elapsed) external {
        vm.warp(vm.getBlockTimestamp() + elapsed);
    }

    function offer(uint256 seed) external {
        (address who, address account) = _pick(seed);
        address to = _names[(seed >> 16) % 6];
        bool may = who == _held[account].owner;
        if (may) _held[account].offered = to;
        _try(may, who, 0, address(registry), abi.encodeCall(IProviderRegistry.offerOwnership, (account, to)));
    }

    function accept(uint256 seed) external {
        (address who, address account) = _pick(seed);
        bool may = who == _held[account].offered;
        if (may) (_held[account].owner, _held[account].offered, _held[account].payee) = (who, address(0), address(0));
        _try(may, who, 0, address(registry), abi.encodeCall(IProviderRegistry.acceptOwnership, (account)));
    }

    function setPayee(uint256 seed) external {
        (address who, address account) = _pick(seed);
        address payee = _names[(seed >> 16) % 6];
        bool may = who == _held[account].owner;
        if (may) _held[account].payee = payee;
        _try(may, who, 0, address(registry), abi.encodeCall(IProviderRegistry.setPayee, (account, payee)));
    }

    function deposit(uint256 seed) external {
        (address who, address account) = _pick(seed);
        uint256 amount = (seed >> 16) % 1 ether;
        bool may = _mayAct(who, account) && amount <= _coins[who];
        if (may) {
            _coins[who] -= amount;
            _held[account].stake += amount;
        }
        _try(may, who, amount, address(registry), abi.encodeCall(IProviderRegistry.deposit, (account)));
    }

    function requestWithdrawal(uint256 seed) external {
        (address who, address account) = _pick(seed);
        uint256 free = _held[account].stake - registry.offerOf(account).lockedStake;
        uint256 amount = (seed >> 16) % (2 * free + 1);
        bool may = who == _held[account].owner && amount <= free;
        if (may) {
            _held[account].stake -= amount;
            _held[account].leaving += amount;
            _held[account].leavingAt = vm.getBlockTimestamp() + COOLDOWN;
        }
        bytes memory data = abi.encodeCall(IProviderRegistry.requestWithdrawal, (account, uint96(amount)));
        _try(may, who, 0, address(registry), data);
    }

    function withdrawStake(uint256 seed) external {
        (address who, address account) = _pick(seed);
        Held storage held = _held[account];
        bool may = _mayAct(who, account) && held.leaving != 0 && vm.getBlockTimestamp() >= held.leavingAt;
        if (may) {
            _coins[_payeeOf(account)] += held.leaving;
            held.leaving = 0;
        }
        _try(may, who, 0, address(registry), abi.encodeCall(IProviderRegistry.withdrawStake, (account)));
    }

    function withdraw(uint256 seed) external {
        (address who, address account) = _pick(seed);
        uint256 owed = escrow.owed(account, address(0));
        bool may = _mayAct(who, account) && owed != 0;
        if (may) _coins[_payeeOf(account)] += owed;
        _try(may, who, 0, address(escrow), abi.encodeCall(IEscrowMoney.withdraw, (account, address(0))));
    }

    function _pick(uint256 seed) private view returns (address who, address account) {
        return (_names[seed % 5], _names[(seed >> 8) % 2]);
    }

    function _mayAct(address who, address account) private view returns (bool) {
        return who == account || who == _held[account].owner;
    }

    function _payeeOf(address account) private view returns (address) {
        Held storage held = _held[account];
        return held.payee == address(0) ? held.owner : held.payee;
    }

    function _try(bool may, address who, uint256 value, address target, bytes memory data) private {
        vm.prank(who);
        (bool done,) = target.call{value: value}(data);
        assertTrue(done == may, "13: by its owner alone");
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(_names[i].balance, _coins[_names[i]], "13: paid to the payee alone");
        }
        for (uint256 i = 0; i < 2; ++i) {
            (address owner, address payee,) = registry.ownershipOf(_names[i]);
            assertEq(owner, _held[_names[i]].owner, "13: owner");
            assertEq(payee, _payeeOf(_names[i]), "13: payee");
            assertEq(registry.offerOf(_names[i]).stake, _held[_names[i]].stake, "13: stake");
        }
    }
}
