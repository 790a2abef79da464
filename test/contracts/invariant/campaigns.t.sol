// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deploy} from "../support/Deploy.sol";
import {CampaignHandler} from "./CampaignHandler.sol";

/// @notice The two invariants of data campaigns in INVARIANTS.md, over one kind of random history.
abstract contract CampaignHistories is Deploy {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    CampaignHandler internal handler;

    function setUp() public {
        handler = CampaignHandler(deploy("CampaignHandler", ""));
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function _target(bytes4 last) internal view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](8);
        for (uint256 i = 0; i < 5; ++i) {
            selectors[i] = CampaignHandler.act.selector;
        }
        selectors[5] = CampaignHandler.open.selector;
        selectors[6] = CampaignHandler.letTimePass.selector;
        selectors[7] = last;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }
}

/// @dev A difference in money reverts in the handler, and so fails the history.
contract Invariant11Test is CampaignHistories {
    function targetSelectors() public view returns (FuzzSelector[] memory) {
        return _target(CampaignHandler.act.selector);
    }

    function invariant_CampaignMoneyIsOwedOrHeldByTheRules() public view {
        assertTrue(address(handler) != address(0), "checked after every call");
    }
}

contract Invariant12Test is CampaignHistories {
    function targetSelectors() public view returns (FuzzSelector[] memory) {
        return _target(CampaignHandler.finish.selector);
    }

    function invariant_AnybodyCanEndADataCampaign() public view {
        string memory what = handler.broken();
        assertTrue(bytes(what).length == 0, what);
    }
}
