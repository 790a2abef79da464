// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FixState, IDataCampaign, VoteStatus} from "../../../contracts/campaign/IDataCampaign.sol";
import {Reasons} from "./Reasons.sol";

/// @notice Deploys the market with data campaigns beside it, and makes the calls of a campaign, each by its party.
abstract contract CampaignSteps is Reasons {
    uint96 internal constant ROW_DEPOSIT = 3_000_000;
    uint96 internal constant ROW_PRICE = 2_000_000;
    uint96 internal constant REWARD = 1_000_000;
    uint96 internal constant FIX_BOND = 4_000_000;
    uint96 internal constant VOTE_FEE = 1_000_000;
    uint256 internal constant PANEL_FEES = 3 * uint256(VOTE_FEE);
    uint32 internal constant ROWS = 1000;
    uint24 internal constant FIX_WINDOW = 2 hours;
    uint24 internal constant STEP = 1 hours;
    bytes32 internal constant SALT = "salt";

    IDataCampaign internal campaigns;
    address internal owner;
    address internal author;
    address internal fixer;
    address internal other;
    uint256 private _count;

    function setUp() public virtual override {
        super.setUp();
        campaigns = IDataCampaign(deploy("DataCampaign", abi.encode(registry)));
        (owner, author, fixer, other) = (vm.addr(5000), vm.addr(5001), vm.addr(5002), vm.addr(5003));
        vm.deal(owner, 1000 ether);
        vm.deal(author, 1000 ether);
        vm.deal(fixer, 1000 ether);
        vm.deal(other, 1000 ether);
        vm.warp(vm.getBlockTimestamp() + 1);
    }

    /// @dev Valid terms, different at each call. The capacity is so large that no rows raise the deposit by a wei.
    function campaignTerms() internal returns (IDataCampaign.Terms memory terms) {
        terms.owner = owner;
        terms.deposit = ROW_DEPOSIT;
        terms.price = ROW_PRICE;
        terms.reward = REWARD;
        terms.bond = FIX_BOND;
        terms.fee = VOTE_FEE;
        terms.rows = ROWS;
        terms.capacity = type(uint32).max;
        terms.closesAt = uint40(vm.getBlockTimestamp() + 1 days);
        terms.fixWindow = FIX_WINDOW;
        terms.stepWindow = STEP;
        terms.specHash = keccak256(abi.encode("campaign", ++_count));
    }

    // ── Rows

    function digestOf(uint32 row) internal pure returns (bytes32) {
        return keccak256(abi.encode("row", row));
    }

    function leafOf(address by, uint32 row) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(by, row, digestOf(row)))));
    }

    /// @dev Of the tree over `count` rows (1 or a power of two) by one author, with the proof of `row`.
    function treeOf(address by, uint32 count, uint32 row) internal pure returns (bytes32 root, bytes32[] memory proof) {
        bytes32[] memory level = new bytes32[](count);
        for (uint32 i = 0; i < count; ++i) {
            level[i] = leafOf(by, i);
        }
        uint256 depth = 0;
        while (count >> (depth + 1) != 0) {
            ++depth;
        }
        proof = new bytes32[](depth);
        for (uint256 d = 0; d < depth; ++d) {
            proof[d] = level[(row >> d) ^ 1];
            for (uint256 i = 0; i < count >> (d + 1); ++i) {
                (bytes32 a, bytes32 b) = (level[2 * i], level[2 * i + 1]);
                level[i] = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
            }
        }
        root = level[0];
    }

    function correctionOf(IDataCampaign.Terms memory terms, uint32 entry, uint32 row)
        internal
        view
        returns (IDataCampaign.Correction memory)
    {
        IDataCampaign.Entry memory added = campaigns.entryOf(campaigns.campaignIdOf(terms), entry);
        (, bytes32[] memory proof) = treeOf(added.author, added.count, row);
        return IDataCampaign.Correction(entry, row, digestOf(row), keccak256("corrected"), SALT, proof);
    }

    // ── Calls

    function open(IDataCampaign.Terms memory terms) internal {
        vm.prank(terms.owner);
        campaigns.open{value: terms.token == address(0) ? uint256(terms.rows) * terms.price : 0}(terms, "description");
    }

    function opened() internal returns (IDataCampaign.Terms memory terms) {
        open(terms = campaignTerms());
    }

    /// @dev `count` is one or a power of two.
    function add(IDataCampaign.Terms memory terms, address by, uint32 count) internal returns (uint32) {
        (bytes32 root,) = treeOf(by, count, 0);
        uint256 sum = count * campaigns.depositOf(terms, count);
        vm.prank(by);
        return campaigns.add{value: terms.token == address(0) ? sum : 0}(terms, root, count, type(uint128).max, "cid");
    }

    function fix(IDataCampaign.Terms memory terms, address by, uint32 entry, uint32 row)
        internal
        returns (IDataCampaign.Place memory)
    {
        return fix(terms, by, correctionOf(terms, entry, row));
    }

    function fix(IDataCampaign.Terms memory terms, address by, IDataCampaign.Correction memory correction)
        internal
        returns (IDataCampaign.Place memory)
    {
        commitFix(terms, by, correction);
        vm.prank(by);
        uint32 number =
            campaigns.fix{value: terms.token == address(0) ? terms.bond : 0}(terms, correction, "corrected row");
        return IDataCampaign.Place(correction.entry, correction.row, number);
    }

    function commitFix(IDataCampaign.Terms memory terms, address by, IDataCampaign.Correction memory correction)
        internal
    {
        bytes32 commitment = campaigns.fixCommitmentOf(campaigns.campaignIdOf(terms), by, correction);
        vm.prank(by);
        campaigns.commitFix(commitment);
        vm.roll(vm.getBlockNumber() + 1);
    }

    function judge(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, bool right) internal {
        vm.prank(terms.owner);
        campaigns.judge(terms, place, right);
    }

    function appeal(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, address by) internal {
        vm.prank(by);
        campaigns.appeal{value: terms.token == address(0) ? 3 * uint256(terms.fee) : 0}(terms, place);
    }

    function empanel(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place) internal {
        uint256 drawBlock = panelOf(terms, place).drawBlock;
        if (vm.getBlockNumber() <= drawBlock) vm.roll(drawBlock + 1);
        campaigns.empanel(terms, place);
    }

    function commitVote(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, address by, bool right)
        internal
    {
        bytes32 commitment = campaigns.voteCommitmentOf(campaigns.campaignIdOf(terms), place, by, right, SALT);
        vm.prank(by);
        campaigns.commitVote(terms, place, commitment);
    }

    function revealVote(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, address by, bool right)
        internal
    {
        vm.prank(by);
        campaigns.revealVote(terms, place, right, SALT);
    }

    /// @dev The whole panel commits and reveals; the first `rights` members vote for the fix.
    function vote(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, uint256 rights) internal {
        address[] memory members = panelOf(terms, place).members;
        for (uint256 i = 0; i < members.length; ++i) {
            commitVote(terms, place, members[i], i < rights);
        }
        for (uint256 i = 0; i < members.length; ++i) {
            revealVote(terms, place, members[i], i < rights);
        }
    }

    // ── Time and views

    /// @dev Never back: a deadline may lie in the past.
    function passTime(uint256 deadline) internal {
        if (vm.getBlockTimestamp() <= deadline) vm.warp(deadline + 1);
    }

    function passFix(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place) internal {
        passTime(fixOf(terms, place).deadline);
    }

    function passFixWindow(IDataCampaign.Terms memory terms, uint32 entry) internal {
        passTime(uint256(entryOf(terms, entry).addedAt) + terms.fixWindow);
    }

    function fixOf(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place)
        internal
        view
        returns (IDataCampaign.Fix memory)
    {
        return campaigns.fixOf(campaigns.campaignIdOf(terms), place);
    }

    function panelOf(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place)
        internal
        view
        returns (IDataCampaign.Panel memory)
    {
        return campaigns.panelOf(campaigns.campaignIdOf(terms), place);
    }

    function voteStatusOf(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, address member)
        internal
        view
        returns (VoteStatus)
    {
        return campaigns.voteOf(campaigns.campaignIdOf(terms), place, member);
    }

    function entryOf(IDataCampaign.Terms memory terms, uint32 entry) internal view returns (IDataCampaign.Entry memory) {
        return campaigns.entryOf(campaigns.campaignIdOf(terms), entry);
    }

    function rowOf(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place)
        internal
        view
        returns (IDataCampaign.Row memory)
    {
        return campaigns.rowOf(campaigns.campaignIdOf(terms), place.entry, place.row);
    }

    function campaignOf(IDataCampaign.Terms memory terms) internal view returns (IDataCampaign.Campaign memory) {
        return campaigns.campaignOf(campaigns.campaignIdOf(terms));
    }

    function owedTo(address who) internal view returns (uint256) {
        return campaigns.owed(who, address(0));
    }

    function isStanding(IDataCampaign.Terms memory terms, IDataCampaign.Place memory place, FixState state)
        internal
        view
        returns (bool)
    {
        return fixOf(terms, place).state == state;
    }

    // ── Reasons

    function refuses(address who, uint256 value, bytes memory data, bytes memory reason) internal {
        assertRevertsAt(address(campaigns), who, value, data, reason);
    }

    function refusal(IDataCampaign.Terms memory terms, bytes4 selector, uint256 argument)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeWithSelector(selector, campaigns.campaignIdOf(terms), argument);
    }

    function refusal(IDataCampaign.Terms memory terms, bytes4 selector, address account)
        internal
        view
        returns (bytes memory)
    {
        return refusal(terms, selector, uint256(uint160(account)));
    }
}
