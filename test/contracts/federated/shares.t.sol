// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IFederated} from "../../../contracts/interfaces/IFederated.sol";
import {FederatedSteps} from "../support/FederatedSteps.sol";

/// @notice The shares of the HKU paper's example, paid by the contract. See shares.tree.
contract FederatedSharesTest is FederatedSteps {
    uint128 private constant WHOLE = 0.13 ether;
    uint256 private constant CENT = 0.01 ether;

    IFederated.Terms private terms;

    /// @dev One round of four providers that its requester leads.
    function setUp() public override {
        super.setUp();
        terms = federatedTerms(0);
        (terms.roundPrice, terms.rounds) = (WHOLE, 1);
        start(terms);
    }

    function test_WhenTheyAreClaimed_EachIsPaidToTheWeiAndNothingIsLeft() public {
        _close(_shares());
        _claimAll(_shares());
        uint128[5] memory shares = _shares();
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(owedTo(_account(i)), shares[i], "to the wei");
        }
        assertEq(address(federation).balance, WHOLE, "all of it is owed");
        assertEq(federation.paidOf(federation.jobIdOf(terms)), WHOLE, "nothing is left to sweep");
    }

    function test_WhenTheyAreCutToHundredths_TheyAreThePapers() public {
        _close(_shares());
        _claimAll(_shares());
        uint8[4] memory hundredths = [3, 2, 2, 4];
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(owedTo(providers[i]) / CENT, hundredths[i], "0.03, 0.02, 0.02, 0.04");
        }
    }

    function test_WhenThePaperPaysWholeHundredths_WhatIsLeftIsTheRequesters() public {
        uint128[5] memory cut = _shares();
        uint256 sum = 0;
        for (uint256 i = 0; i < 4; ++i) {
            cut[i] -= uint128(cut[i] % CENT);
            sum += cut[i];
        }
        assertEq(sum, 0.11 ether, "what the paper calls its pool");
        cut[4] = uint128(WHOLE - sum);
        _close(cut);
        _claimAll(cut);
        assertEq(owedTo(providers[0]), 0.03 ether, "the first");
        assertEq(owedTo(providers[1]), 0.02 ether, "the second");
        assertEq(owedTo(providers[2]), 0.02 ether, "the third");
        assertEq(owedTo(providers[3]), 0.04 ether, "the fourth");
        assertEq(owedTo(requester), 0.02 ether, "what is left");
    }

    function test_RevertWhen_TheSharesAreMoreThanThePrice() public {
        uint128[5] memory shares = _shares();
        ++shares[4];
        _close(shares);
        _claim(shares, 0, 4);
        IFederated.Payout[] memory last = _payouts(shares, 4, 5);
        bytes memory data = abi.encodeCall(federation.claim, (terms, last, closingsFrom(terms, 1)));
        refuses(requester, data, refusal(terms, IFederated.FederatedEscrow_Overdrawn.selector));
    }

    // ── The example

    /// @dev Accuracies of 75, 55, 55 and 95 %: shares of 98 % of the price, then what is left for who led.
    function _shares() private pure returns (uint128[5] memory shares) {
        uint128 pool = WHOLE * 98 / 100;
        shares = [pool * 75 / 280, pool * 55 / 280, pool * 55 / 280, pool * 95 / 280, WHOLE];
        for (uint256 i = 0; i < 4; ++i) {
            shares[4] -= shares[i];
        }
    }

    function _account(uint256 index) private view returns (address) {
        return index < 4 ? providers[index] : requester;
    }

    // ── Steps

    /// @dev Closes the round by a chain of the five leaves, and lets the time to challenge pass.
    function _close(uint128[5] memory shares) private {
        IFederated.Closing memory closing = closingOf(terms, "honest");
        closing.payRoot = _node(shares, 4);
        close(terms, closing);
        vm.warp(vm.getBlockTimestamp() + DISPUTE + 1);
    }

    function _claimAll(uint128[5] memory shares) private {
        _claim(shares, 0, 5);
    }

    function _claim(uint128[5] memory shares, uint256 from, uint256 to) private {
        federation.claim(terms, _payouts(shares, from, to), closingsFrom(terms, 1));
    }

    function _payouts(uint128[5] memory shares, uint256 from, uint256 to)
        private
        view
        returns (IFederated.Payout[] memory payouts)
    {
        payouts = new IFederated.Payout[](to - from);
        for (uint256 i = from; i < to; ++i) {
            payouts[i - from] = IFederated.Payout(_account(i), shares[i], _proof(shares, i));
        }
    }

    /// @dev The node over the leaves up to `index`: each hashes one leaf more to those before.
    function _node(uint128[5] memory shares, uint256 index) private view returns (bytes32 node) {
        node = _leaf(shares, 0);
        for (uint256 i = 1; i <= index; ++i) {
            bytes32 leaf = _leaf(shares, i);
            node = node < leaf ? keccak256(abi.encode(node, leaf)) : keccak256(abi.encode(leaf, node));
        }
    }

    function _proof(uint128[5] memory shares, uint256 index) private view returns (bytes32[] memory proof) {
        proof = new bytes32[](index == 0 ? 4 : 5 - index);
        uint256 next = 0;
        if (index != 0) proof[next++] = _node(shares, index - 1);
        for (uint256 i = index + 1; next < proof.length; ++i) {
            proof[next++] = _leaf(shares, i);
        }
    }

    function _leaf(uint128[5] memory shares, uint256 index) private view returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(_account(index), shares[index]))));
    }
}
