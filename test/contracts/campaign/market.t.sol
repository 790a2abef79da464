// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDataCampaign} from "../../../contracts/campaign/IDataCampaign.sol";
import {IImprovementMarket, MarketState} from "../../../contracts/campaign/IImprovementMarket.sol";
import {MarketSteps} from "../support/MarketSteps.sol";

/// @notice Stakes on what entries improve, and who is paid by the replay; see market.tree.
contract ImprovementMarketTest is MarketSteps {
    bytes32 private constant ROOT = keccak256("another root");

    IDataCampaign.Terms private terms;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        terms = marketTerms();
        open(terms);
        id = campaigns.campaignIdOf(terms);
    }

    // ── Open

    function test_WhenOpened_BountyAndFeesAreTaken() public {
        openMarket(terms);
        assertEq(address(market).balance, BOUNTY + PANEL_FEES, "taken");
        assertEq(market.marketOf(id).owner, owner, "its owner");
    }

    function test_RevertWhen_AnotherThanTheOwnerOpens() public {
        _refuses(other, BOUNTY + PANEL_FEES, abi.encodeCall(market.open, (terms, offerFor(terms))), _notParty(other));
    }

    function test_RevertWhen_OpenedTwice() public {
        openMarket(terms);
        bytes memory why = abi.encodeWithSelector(
            IImprovementMarket.ImprovementMarket_InvalidStatus.selector, id, MarketState.Open
        );
        _refuses(owner, BOUNTY + PANEL_FEES, abi.encodeCall(market.open, (terms, offerFor(terms))), why);
    }

    function test_RevertWhen_TheTestSetIsShownOrFixesMayBeOpenThen() public {
        bytes memory why = abi.encodeWithSelector(IImprovementMarket.ImprovementMarket_InvalidTerms.selector);
        IImprovementMarket.Offer memory offer = offerFor(terms);
        --offer.showBy;
        _refuses(owner, BOUNTY + PANEL_FEES, abi.encodeCall(market.open, (terms, offer)), why);
        showFirst(terms);
        showOther(terms);
        _refuses(owner, BOUNTY + PANEL_FEES, abi.encodeCall(market.open, (terms, offerFor(terms))), why);
    }

    // ── Stake

    function test_WhenTheFirstSliceIsShown_AuthorsStakeOnTheirEntries() public {
        openMarket(terms);
        add(terms, author, 1);
        bytes memory data = abi.encodeCall(market.stake, (id, 0, LEAST));
        _refuses(author, LEAST, data, _notStakeable(0));
        showFirst(terms);
        _refuses(other, LEAST, data, _notParty(other));
        stake(id, author, 0, LEAST);
        assertEq(market.stakeOf(id, 0), LEAST, "staked");
        _refuses(author, LEAST, data, _notStakeable(0));
        add(terms, author, 1);
        bytes memory why =
            abi.encodeWithSelector(IImprovementMarket.ImprovementMarket_TooLittle.selector, LEAST - 1, LEAST);
        _refuses(author, LEAST - 1, abi.encodeCall(market.stake, (id, 1, LEAST - 1)), why);
    }

    function test_RevertWhen_StakedAfterTheTestSetOrTheCampaignsEnd() public {
        openMarket(terms);
        add(terms, author, 1);
        showFirst(terms);
        showOther(terms);
        bytes memory data = abi.encodeCall(market.stake, (id, 0, LEAST));
        _refuses(author, LEAST, data, _notStakeable(0));
        passTime(terms.closesAt);
        _refuses(author, LEAST, data, _time(IImprovementMarket.ImprovementMarket_TooLate.selector, terms.closesAt));
    }

    // ── The panel

    function test_WhenAMajorityShowsARoot_AccountsClaimByIt() public {
        _toVoting();
        (bytes32 root, bytes32[] memory ofFirst, bytes32[] memory ofOwner) = _payouts();
        IImprovementMarket.Seat[] memory seats = market.seatsOf(id);
        assertEq(seats.length, 3, "members");
        _vote(root, root, ROOT);
        market.settle(id);
        assertEq(uint256(market.marketOf(id).root), uint256(root), "the majority's");
        assertEq(owedBy(seats[2].member), 0, "outvoted");
        assertEq(owedBy(seats[0].member), VOTE_FEE, "paid");
        market.claim(id, 0, author, _gain(), ofFirst);
        bytes memory again = abi.encodeCall(market.claim, (id, 0, author, _gain(), ofFirst));
        _refuses(other, 0, again, abi.encodeWithSelector(IImprovementMarket.ImprovementMarket_WrongClaim.selector, id, 0));
        market.claim(id, OWNERS, owner, BOUNTY + 2 * uint128(LEAST) - _gain(), ofOwner);
        assertEq(owedBy(author), _gain(), "the author's");
        assertEq(market.marketOf(id).pool, 0, "all of it");
        _assertConserved();
    }

    function test_RevertWhen_AClaimIsNotInTheRootOrMoreThanThereIs() public {
        _toVoting();
        (bytes32 root, bytes32[] memory proof,) = _payouts();
        _vote(root, root, root);
        market.settle(id);
        bytes memory why = abi.encodeWithSelector(IImprovementMarket.ImprovementMarket_WrongClaim.selector, id, 0);
        _refuses(other, 0, abi.encodeCall(market.claim, (id, 0, author, _gain() + 1, proof)), why);
        _refuses(other, 0, abi.encodeCall(market.claim, (id, 0, other, _gain(), proof)), why);
    }

    function test_WhenAMajoritysRootPromisesTooMuch_NoOtherMarketPays() public {
        _toVoting();
        bytes32 leaf = payoutLeaf(0, author, type(uint128).max);
        _vote(leaf, leaf, leaf);
        market.settle(id);
        vm.deal(address(market), 1000 ether);
        bytes memory why = abi.encodeWithSelector(IImprovementMarket.ImprovementMarket_WrongClaim.selector, id, 0);
        bytes memory data = abi.encodeCall(market.claim, (id, 0, author, type(uint128).max, new bytes32[](0)));
        _refuses(author, 0, data, why);
    }

    function test_WhenNothingIsClaimed_TheOwnerGetsItInTheEnd() public {
        _toVoting();
        (bytes32 root,,) = _payouts();
        _vote(root, root, root);
        market.settle(id);
        uint256 deadline = market.marketOf(id).deadline;
        bytes memory data = abi.encodeCall(market.sweep, (id));
        _refuses(other, 0, data, _time(IImprovementMarket.ImprovementMarket_TooEarly.selector, deadline));
        passTime(deadline);
        market.sweep(id);
        assertEq(owedBy(owner), BOUNTY + 2 * uint256(LEAST), "swept");
        _assertConserved();
    }

    function test_RevertWhen_AMemberShowsWhatItDidNotCommitToOrTooEarly() public {
        _toVoting();
        address member = market.seatsOf(id)[0].member;
        bytes32 commitment = market.rootCommitmentOf(id, member, ROOT, SALT);
        _refuses(other, 0, abi.encodeCall(market.commit, (id, commitment)), _notParty(other));
        vm.prank(member);
        market.commit(id, commitment);
        uint256 deadline = market.marketOf(id).deadline;
        bytes memory data = abi.encodeCall(market.reveal, (id, ROOT, SALT));
        _refuses(member, 0, data, _time(IImprovementMarket.ImprovementMarket_TooEarly.selector, deadline));
        passTime(deadline);
        bytes memory why =
            abi.encodeWithSelector(IImprovementMarket.ImprovementMarket_CommitmentMismatch.selector, id, member);
        _refuses(member, 0, abi.encodeCall(market.reveal, (id, ROOT, bytes32("other"))), why);
        vm.prank(member);
        market.reveal(id, ROOT, SALT);
        _refuses(member, 0, data, why);
    }

    // ── Exits

    function test_WhenNobodyStakes_TheOwnerGetsAllBack() public {
        openMarket(terms);
        passTime(offerFor(terms).showBy);
        market.begin(id);
        assertEq(owedBy(owner), BOUNTY + PANEL_FEES, "all of it");
        _assertConserved();
    }

    function test_WhenTheTestSetIsNotShown_StakesGoBackWithTheBounty() public {
        _staked();
        bytes memory data = abi.encodeCall(market.begin, (id));
        uint256 showBy = offerFor(terms).showBy;
        _refuses(other, 0, data, _time(IImprovementMarket.ImprovementMarket_TooEarly.selector, showBy));
        passTime(showBy);
        market.begin(id);
        assertTrue(market.marketOf(id).state == MarketState.Unshown, "unshown");
        market.refund(id, 0);
        market.refund(id, 1);
        assertEq(owedBy(author) + owedBy(fixer), BOUNTY + PANEL_FEES + 2 * uint256(LEAST), "all of it");
        bytes memory why = abi.encodeWithSelector(IImprovementMarket.ImprovementMarket_WrongClaim.selector, id, 0);
        _refuses(other, 0, abi.encodeCall(market.refund, (id, 0)), why);
        _assertConserved();
    }

    function test_WhenThePanelIsSilentOrDisagrees_StakesGoBackAndTheBountyToTheOwner() public {
        _staked();
        showOther(terms);
        passTime(offerFor(terms).showBy);
        market.begin(id);
        uint256 snapshot = vm.snapshotState();
        // No panel is drawn.
        passTime(market.marketOf(id).deadline);
        _endVoid(BOUNTY + PANEL_FEES);
        vm.revertToState(snapshot);
        drawMarket(id);
        snapshot = vm.snapshotState();
        passTime(uint256(market.marketOf(id).deadline) + STEP);
        _endVoid(BOUNTY + PANEL_FEES);
        vm.revertToState(snapshot);
        _vote(ROOT, keccak256("a second"), keccak256("a third"));
        _endVoid(BOUNTY);
    }

    function test_WhenTheHashIsGone_AnotherBlockDraws() public {
        _staked();
        showOther(terms);
        passTime(offerFor(terms).showBy);
        market.begin(id);
        vm.roll(vm.getBlockNumber() + 300);
        market.empanel(id);
        assertEq(market.seatsOf(id).length, 0, "not yet");
        drawMarket(id);
        assertEq(market.seatsOf(id).length, 3, "drawn");
    }

    // ── Steps

    /// @dev An entry of the author's and one of the fixer's, with the least stake each.
    function _staked() private {
        openMarket(terms);
        add(terms, author, 1);
        add(terms, fixer, 1);
        showFirst(terms);
        stake(id, author, 0, LEAST);
        stake(id, fixer, 1, LEAST);
    }

    function _toVoting() private {
        _staked();
        showOther(terms);
        passTime(offerFor(terms).showBy);
        market.begin(id);
        drawMarket(id);
    }

    /// @dev Each member commits to its root and shows it; then the time is over.
    function _vote(bytes32 first, bytes32 second, bytes32 third) private {
        bytes32[3] memory roots = [first, second, third];
        IImprovementMarket.Seat[] memory seats = market.seatsOf(id);
        for (uint256 i = 0; i < seats.length; ++i) {
            bytes32 commitment = market.rootCommitmentOf(id, seats[i].member, roots[i], SALT);
            vm.prank(seats[i].member);
            market.commit(id, commitment);
        }
        uint256 deadline = market.marketOf(id).deadline;
        passTime(deadline);
        for (uint256 i = 0; i < seats.length; ++i) {
            vm.prank(seats[i].member);
            market.reveal(id, roots[i], SALT);
        }
        passTime(deadline + STEP);
    }

    function _endVoid(uint256 back) private {
        market.settle(id);
        assertTrue(market.marketOf(id).state == MarketState.Void, "void");
        market.refund(id, 0);
        market.refund(id, 1);
        assertEq(owedBy(author), LEAST, "the author's");
        assertEq(owedBy(fixer), LEAST, "the other's");
        assertEq(owedBy(owner), back, "the owner's");
        _assertConserved();
    }

    function _gain() private pure returns (uint128) {
        return BOUNTY / 2 + LEAST;
    }

    /// @dev The author gains half of the bounty, the fixer gets nothing, the rest is the owner's.
    function _payouts() private view returns (bytes32 root, bytes32[] memory ofFirst, bytes32[] memory ofOwner) {
        bytes32 first = payoutLeaf(0, author, _gain());
        bytes32 last = payoutLeaf(OWNERS, owner, BOUNTY + 2 * uint128(LEAST) - _gain());
        (ofFirst, ofOwner) = (new bytes32[](1), new bytes32[](1));
        (ofFirst[0], ofOwner[0]) = (last, first);
        root = pairOf(first, last);
    }

    /// @dev All money is owed to somebody.
    function _assertConserved() private view {
        uint256 owed = owedBy(owner) + owedBy(author) + owedBy(fixer) + owedBy(other);
        for (uint256 i = 0; i < accounts.length; ++i) {
            owed += owedBy(accounts[i]);
        }
        assertEq(address(market).balance, owed, "owed");
    }

    function _refuses(address who, uint256 value, bytes memory data, bytes memory why) private {
        assertRevertsAt(address(market), who, value, data, why);
    }

    function _notParty(address who) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImprovementMarket.ImprovementMarket_NotParty.selector, id, who);
    }

    function _notStakeable(uint32 entry) private view returns (bytes memory) {
        return abi.encodeWithSelector(IImprovementMarket.ImprovementMarket_NotStakeable.selector, id, entry);
    }

    function _time(bytes4 selector, uint256 deadline) private view returns (bytes memory) {
        return abi.encodeWithSelector(selector, id, deadline);
    }
}
