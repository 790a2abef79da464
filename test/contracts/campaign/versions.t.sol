// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CampaignState, IDataCampaign} from "../../../contracts/campaign/IDataCampaign.sol";
import {CampaignSteps} from "../support/CampaignSteps.sol";

/// @notice Models that a campaign led to, as its owner tells of them; see versions.tree.
contract CampaignVersionsTest is CampaignSteps {
    bytes private constant WITHOUT = hex"00000003";
    IDataCampaign.Terms private terms;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        terms = opened();
        id = campaigns.campaignIdOf(terms);
    }

    // ── Publish

    function test_WhenTheOwnerPublishes_EverybodyIsToldAndOnlyTheNumberIsKept() public {
        uint256 held = address(campaigns).balance;
        vm.expectEmit(address(campaigns));
        emit IDataCampaign.VersionPublished(id, _version(1), WITHOUT, "locator");
        _publish(1);
        assertEq(campaigns.versionsOf(id), 1, "one");
        _publish(2);
        assertEq(campaigns.versionsOf(id), 2, "two");
        assertEq(address(campaigns).balance, held, "no money moves");
    }

    function test_WhenTheCampaignIsClosed_TheOwnerStillPublishes() public {
        vm.prank(owner);
        campaigns.close(terms);
        _publish(1);
        assertEq(campaigns.versionsOf(id), 1, "published");
    }

    function test_WhenTheCampaignIsAnother_ItCountsFromOne() public {
        _publish(1);
        terms = opened();
        _publish(1);
        assertEq(campaigns.versionsOf(id), 1, "its own");
    }

    function test_WhenTheBytesAreAsLongAsTheyMayBe_TheyAreTaken() public {
        vm.prank(owner);
        campaigns.publish(terms, _version(1), new bytes(128), new bytes(192));
        assertEq(campaigns.versionsOf(id), 1, "published");
    }

    function test_RevertWhen_AnotherThanTheOwnerPublishes() public {
        bytes memory why = refusal(terms, IDataCampaign.DataCampaign_NotParty.selector, other);
        refuses(other, 0, _call(1, "", ""), why);
    }

    function test_RevertWhen_ANumberIsPublishedAgainOrLeftOut() public {
        refuses(owner, 0, _call(0, "", ""), _wrongNumber(1));
        refuses(owner, 0, _call(2, "", ""), _wrongNumber(1));
        _publish(1);
        refuses(owner, 0, _call(1, "", ""), _wrongNumber(2));
        refuses(owner, 0, _call(3, "", ""), _wrongNumber(2));
    }

    function test_RevertWhen_TheBytesAreTooLong() public {
        refuses(owner, 0, _call(1, new bytes(129), ""), _tooLong(129, 128));
        refuses(owner, 0, _call(1, "", new bytes(193)), _tooLong(193, 192));
    }

    function test_RevertWhen_ThereIsNoSuchCampaign() public {
        terms = campaignTerms();
        bytes memory why = abi.encodeWithSelector(
            IDataCampaign.DataCampaign_InvalidStatus.selector, campaigns.campaignIdOf(terms), CampaignState.None
        );
        refuses(owner, 0, _call(1, "", ""), why);
    }

    // ── Steps

    function _version(uint32 number) private pure returns (IDataCampaign.Version memory version) {
        version.number = number;
        version.rows = 100;
        version.asOf = 7;
        version.jobId = keccak256("job");
        version.rowsDigest = keccak256("rows");
        version.modelDigest = keccak256("model");
        version.score = -1;
    }

    function _publish(uint32 number) private {
        vm.prank(owner);
        campaigns.publish(terms, _version(number), WITHOUT, "locator");
    }

    function _call(uint32 number, bytes memory without, bytes memory locator) private view returns (bytes memory) {
        return abi.encodeCall(campaigns.publish, (terms, _version(number), without, locator));
    }

    function _wrongNumber(uint256 next) private view returns (bytes memory) {
        return refusal(terms, IDataCampaign.DataCampaign_WrongNumber.selector, next);
    }

    function _tooLong(uint256 length, uint256 limit) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDataCampaign.DataCampaign_TooLong.selector, length, limit);
    }
}
