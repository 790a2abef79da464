// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDataCampaign} from "../../../contracts/campaign/IDataCampaign.sol";
import {IImprovementMarket, MarketState} from "../../../contracts/campaign/IImprovementMarket.sol";
import {CampaignSteps} from "./CampaignSteps.sol";

/// @notice The calls of an improvement market beside a campaign whose test set has two slices, each by its party.
abstract contract MarketSteps is CampaignSteps {
    uint96 internal constant BOUNTY = 100_000_007;
    uint96 internal constant LEAST = 1000;
    uint32 internal constant OWNERS = type(uint32).max;

    IImprovementMarket internal market;

    function setUp() public virtual override {
        super.setUp();
        market = IImprovementMarket(deploy("ImprovementMarket", abi.encode(campaigns)));
    }

    function marketTerms() internal returns (IDataCampaign.Terms memory terms) {
        terms = campaignTerms();
        (terms.slices, terms.examRoot) = (2, pairOf(sliceLeaf(0), sliceLeaf(1)));
    }

    function offerFor(IDataCampaign.Terms memory terms) internal pure returns (IImprovementMarket.Offer memory) {
        uint40 showBy = terms.closesAt + FIX_WINDOW + 6 * STEP;
        return IImprovementMarket.Offer(BOUNTY, LEAST, VOTE_FEE, showBy, STEP, keccak256("a perceptron"));
    }

    // ── Calls

    function openMarket(IDataCampaign.Terms memory terms) internal {
        vm.prank(terms.owner);
        market.open{value: BOUNTY + PANEL_FEES}(terms, offerFor(terms));
    }

    function stake(bytes32 id, address by, uint32 entry, uint96 amount) internal {
        vm.prank(by);
        market.stake{value: amount}(id, entry, amount);
    }

    function showFirst(IDataCampaign.Terms memory terms) internal {
        vm.roll(vm.getBlockNumber() + 3);
        campaigns.drawSlice(terms);
        _show(terms, campaignOf(terms).first);
    }

    function showOther(IDataCampaign.Terms memory terms) internal {
        _show(terms, 1 - campaignOf(terms).first);
    }

    function _show(IDataCampaign.Terms memory terms, uint8 slice) private {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = sliceLeaf(1 - slice);
        vm.prank(terms.owner);
        campaigns.reveal(terms, slice, keccak256(abi.encode("slice", slice)), SALT, proof, "cid");
    }

    function drawMarket(bytes32 id) internal {
        vm.roll(vm.getBlockNumber() + 3);
        market.empanel(id);
    }

    function commitRoot(bytes32 id, address by, bytes32 root) internal {
        bytes32 commitment = market.rootCommitmentOf(id, by, root, SALT);
        vm.prank(by);
        market.commit(id, commitment);
    }

    function revealRoot(bytes32 id, address by, bytes32 root) internal {
        vm.prank(by);
        market.reveal(id, root, SALT);
    }

    function stateOf(bytes32 id) internal view returns (MarketState) {
        return market.marketOf(id).state;
    }

    function owedBy(address who) internal view returns (uint256) {
        return market.owed(who, address(0));
    }

    // ── Trees

    function payoutLeaf(uint32 entry, address account, uint128 amount) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(entry, account, amount))));
    }

    function sliceLeaf(uint8 slice) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(slice, SALT, keccak256(abi.encode("slice", slice))))));
    }

    function pairOf(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }
}
