// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deploy} from "../support/Deploy.sol";
import {FederatedHandler} from "./FederatedHandler.sol";

/// @notice The two invariants of federated jobs in INVARIANTS.md, over one kind of random history.
abstract contract FederatedCampaign is Deploy {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    FederatedHandler internal handler;

    function setUp() public {
        handler = FederatedHandler(deploy("FederatedHandler", ""));
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function _target(bytes4[] memory selectors) internal view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }
}

/// @dev A difference in money or stakes reverts in the handler, and so fails the campaign.
contract Invariant9Test is FederatedCampaign {
    function targetSelectors() public view returns (FuzzSelector[] memory) {
        bytes4[] memory selectors = new bytes4[](8);
        for (uint256 i = 0; i < 6; ++i) {
            selectors[i] = FederatedHandler.act.selector;
        }
        selectors[6] = FederatedHandler.post.selector;
        selectors[7] = FederatedHandler.letTimePass.selector;
        return _target(selectors);
    }

    function invariant_FederatedMoneyAndStakesAreWhereTheyBelong() public view {
        assertTrue(address(handler) != address(0), "checked after every call");
    }
}

contract Invariant10Test is FederatedCampaign {
    function targetSelectors() public view returns (FuzzSelector[] memory) {
        bytes4[] memory selectors = new bytes4[](8);
        for (uint256 i = 0; i < 5; ++i) {
            selectors[i] = FederatedHandler.act.selector;
        }
        selectors[5] = FederatedHandler.post.selector;
        selectors[6] = FederatedHandler.letTimePass.selector;
        selectors[7] = FederatedHandler.finish.selector;
        return _target(selectors);
    }

    function invariant_AnybodyCanEndAFederatedJob() public view {
        string memory what = handler.broken();
        assertTrue(bytes(what).length == 0, what);
    }
}
