// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IImprovementMarket, MarketState} from "../../../contracts/campaign/IImprovementMarket.sol";
import {Deploy} from "../support/Deploy.sol";
import {MarketHandler} from "./MarketHandler.sol";

/// @notice The invariant of improvement markets in INVARIANTS.md, over random histories. See improvements.tree for what
/// says that these come to every end.
/// @dev A difference in money reverts in the handler, and so fails the history.
contract Invariant14Test is Deploy {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    MarketHandler private handler;

    function setUp() public {
        handler = MarketHandler(deploy("MarketHandler", ""));
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](10);
        for (uint256 i = 0; i < 8; ++i) {
            selectors[i] = MarketHandler.act.selector;
        }
        selectors[8] = MarketHandler.open.selector;
        selectors[9] = MarketHandler.finish.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_AnybodyCanEndAnImprovementMarketAndItsMoneyIsWhereItBelongs() public view {
        string memory what = handler.broken();
        assertTrue(bytes(what).length == 0, what);
    }

    /// @dev One history of the same calls, by numbers of a hash, five times as long as the fuzzer's.
    function test_WhenAHistoryIsPlayed_ItComesToEveryEnd() public {
        for (uint256 i = 0; i < 1000; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            if (seed % 10 == 0) handler.open(seed >> 8);
            else if (seed % 40 == 1) handler.finish(seed >> 8);
            else handler.act(seed >> 8);
        }
        MarketState[5] memory states = [
            MarketState.Drawing, MarketState.Voting, MarketState.Settled, MarketState.Void, MarketState.Unshown
        ];
        for (uint256 i = 0; i < states.length; ++i) {
            assertTrue(handler.reached(states[i]) > 2, "a state that no market came to");
        }
        bytes4[7] memory calls = [
            IImprovementMarket.stake.selector,
            IImprovementMarket.reveal.selector,
            IImprovementMarket.settle.selector,
            IImprovementMarket.claim.selector,
            IImprovementMarket.refund.selector,
            IImprovementMarket.sweep.selector,
            MarketHandler.finish.selector
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            assertTrue(handler.made(calls[i]) > 2, "a call that nobody made");
        }
    }
}
