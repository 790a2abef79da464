// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CampaignState, FixState, IDataCampaign} from "../../../contracts/campaign/IDataCampaign.sol";
import {CampaignSteps} from "./CampaignSteps.sol";

/// @notice How anybody ends a campaign in which no party acts, and what a campaign holds.
abstract contract CampaignEnd is CampaignSteps {
    /// @dev The calls that are anyone's; time passes where one is not possible yet.
    function endByAnyone(IDataCampaign.Terms memory terms) internal {
        IDataCampaign.Campaign memory campaign = campaignOf(terms);
        for (uint32 i = 0; i < campaign.entries; ++i) {
            IDataCampaign.Entry memory entry = entryOf(terms, i);
            for (uint32 row = 0; row < entry.count; ++row) {
                _takeAll(terms, i, row);
            }
            if (entry.refunded) continue;
            passFixWindow(terms, i);
            campaigns.refund(terms, i);
        }
        if (campaign.state != CampaignState.Open) return;
        passTime(terms.closesAt);
        campaigns.close(terms);
    }

    function _takeAll(IDataCampaign.Terms memory terms, uint32 entry, uint32 row) private {
        IDataCampaign.Row memory stored = rowOf(terms, IDataCampaign.Place(entry, row, 0));
        for (uint32 number = stored.taken; number < stored.fixes; ++number) {
            IDataCampaign.Place memory place = IDataCampaign.Place(entry, row, number);
            // Twice a step: to judge and to appeal, or to commit and to reveal.
            passTime(uint256(fixOf(terms, place).deadline) + terms.stepWindow);
            campaigns.take(terms, place);
        }
    }

    function isOver(IDataCampaign.Terms memory terms) internal view returns (bool) {
        return campaignOf(terms).state == CampaignState.Closed && heldBy(terms) == 0;
    }

    /// @dev What a campaign still holds by its rules: prices, deposits, bonds and fees; smallest unit.
    function heldBy(IDataCampaign.Terms memory terms) internal view returns (uint256 held) {
        IDataCampaign.Campaign memory campaign = campaignOf(terms);
        if (campaign.state == CampaignState.Open) held += uint256(campaign.left) * terms.price;
        for (uint32 i = 0; i < campaign.entries; ++i) {
            IDataCampaign.Entry memory entry = entryOf(terms, i);
            for (uint32 row = 0; row < entry.count; ++row) {
                held += _heldByRow(terms, entry, IDataCampaign.Place(i, row, 0));
            }
        }
    }

    function _heldByRow(
        IDataCampaign.Terms memory terms,
        IDataCampaign.Entry memory entry,
        IDataCampaign.Place memory place
    ) private view returns (uint256 held) {
        IDataCampaign.Row memory row = rowOf(terms, place);
        bool contested = row.taken != row.fixes;
        if (!row.isFixed && (!entry.refunded || contested)) held += uint256(entry.deposit) + terms.price;
        for (place.fix = row.taken; place.fix < row.fixes; ++place.fix) {
            held += terms.bond;
            FixState state = fixOf(terms, place).state;
            if (state == FixState.Drawing || state == FixState.Voting) held += 3 * uint256(terms.fee);
        }
    }
}
