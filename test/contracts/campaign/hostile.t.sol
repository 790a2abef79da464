// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDataCampaign} from "../../../contracts/campaign/IDataCampaign.sol";
import {CampaignSteps} from "../support/CampaignSteps.sol";

/// @notice What hostile parties of a campaign gain and lose, to the wei; the figures are those of docs/incentives.md. See
/// hostile.tree.
contract CampaignHostileTest is CampaignSteps {
    uint256 private constant ROW_VALUE = uint256(ROW_DEPOSIT) + ROW_PRICE;

    // ── Honest and flipped rows

    function test_Of300GoodRowsAnd50FlippedOnesTheGoodAgentGainsTheBadOneLosesAndNoWeiIsLost() public {
        IDataCampaign.Terms memory terms = opened();
        (address good, address bad) = (fixer, author);
        uint256[2] memory before = [good.balance, bad.balance];
        uint256 all = owner.balance + good.balance + bad.balance + address(campaigns).balance;
        for (uint256 i = 0; i < 300; ++i) {
            add(terms, good, 1);
        }
        for (uint32 i = 300; i < 350; ++i) {
            add(terms, bad, 1);
            IDataCampaign.Place memory place = fix(terms, good, i, 0);
            judge(terms, place, true);
        }
        vm.warp(vm.getBlockTimestamp() + FIX_WINDOW + 1);
        for (uint32 i = 0; i < 350; ++i) {
            if (i >= 300) campaigns.take(terms, IDataCampaign.Place(i, 0, 0));
            campaigns.refund(terms, i);
        }
        vm.prank(good);
        campaigns.withdraw(good, address(0));
        assertEq(good.balance - before[0], 300 * uint256(ROW_PRICE) + 50 * (uint256(ROW_DEPOSIT) + REWARD), "good");
        assertEq(before[1] - bad.balance, 50 * uint256(ROW_DEPOSIT), "bad");
        assertEq(owedTo(bad), 0, "nothing comes back");
        assertEq(owner.balance + good.balance + bad.balance + address(campaigns).balance, all, "no wei is lost");
    }

    // ── Sybils

    function test_WhenAnAuthorFixesItsOwnRowsUnderAnotherName_ItGainsNoMoreThanByAGoodRow() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Place memory place = fix(terms, other, 0, 0);
        judge(terms, place, true);
        passFix(terms, place);
        campaigns.take(terms, place);
        uint256 gained = owedTo(other) - FIX_BOND - ROW_DEPOSIT;
        assertEq(gained, REWARD, "the reward");
        assertTrue(gained <= ROW_PRICE, "at most the price of a good row");
    }

    function test_WhenAnAuthorHasItsOwnBadRowRemoved_ItGainsNothing() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Correction memory correction = correctionOf(terms, 0, 0);
        correction.corrected = 0;
        IDataCampaign.Place memory place = fix(terms, other, correction);
        judge(terms, place, true);
        passFix(terms, place);
        campaigns.take(terms, place);
        assertEq(owedTo(other), uint256(FIX_BOND) + ROW_DEPOSIT, "bond and deposit, which were its own");
    }

    function test_WhenAnAuthorShieldsARowByAFalseFix_TheTrueFixStillTakesItsDeposit() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Correction memory empty = correctionOf(terms, 0, 0);
        empty.corrected = "as bad";
        IDataCampaign.Place memory shield = fix(terms, other, empty);
        IDataCampaign.Place memory place = fix(terms, fixer, 0, 0);
        // The owner never acts: the panel alone decides.
        passFix(terms, place);
        appeal(terms, place, fixer);
        empanel(terms, place);
        vote(terms, place, 3);
        passTime(uint256(fixOf(terms, shield).deadline) + STEP);
        campaigns.take(terms, shield);
        campaigns.take(terms, place);
        assertEq(owedTo(fixer), uint256(FIX_BOND) + ROW_DEPOSIT + REWARD, "the true fixer");
        assertEq(owedTo(author), 0, "the author");
    }

    // ── Front-running

    function test_WhenAFixIsCopiedFromItsReveal_TheCopyComesTooLate() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Correction memory correction = correctionOf(terms, 0, 0);
        commitFix(terms, fixer, correction);
        // The copier sees the reveal before it is mined, and runs ahead of it with a commitment.
        bytes32 copied = campaigns.fixCommitmentOf(campaigns.campaignIdOf(terms), other, correction);
        vm.prank(other);
        campaigns.commitFix(copied);
        bytes memory data = abi.encodeCall(campaigns.fix, (terms, correction, ""));
        refuses(
            other,
            FIX_BOND,
            data,
            abi.encodeWithSelector(IDataCampaign.DataCampaign_NotCommitted.selector, copied)
        );
        vm.prank(fixer);
        campaigns.fix{value: FIX_BOND}(terms, correction, "");
        vm.roll(vm.getBlockNumber() + 1);
        vm.prank(other);
        campaigns.fix{value: FIX_BOND}(terms, correction, "");
        IDataCampaign.Place memory first = IDataCampaign.Place(0, 0, 0);
        IDataCampaign.Place memory second = IDataCampaign.Place(0, 0, 1);
        judge(terms, second, true);
        judge(terms, first, true);
        passFix(terms, first);
        campaigns.take(terms, first);
        campaigns.take(terms, second);
        assertEq(owedTo(fixer), uint256(FIX_BOND) + ROW_DEPOSIT + REWARD, "the first");
        assertEq(owedTo(other), FIX_BOND, "the copier has its bond back");
    }

    // ── Plagiarism

    function test_WhenTheSameRowIsAddedTwice_TheSecondIsRemovedAndCostsItsDeposit() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        add(terms, other, 1);
        // The judge sees the same digest in an earlier entry.
        IDataCampaign.Correction memory correction = correctionOf(terms, 1, 0);
        correction.corrected = 0;
        IDataCampaign.Place memory place = fix(terms, author, correction);
        judge(terms, place, true);
        passTime(uint256(entryOf(terms, 1).addedAt) + FIX_WINDOW);
        campaigns.take(terms, place);
        campaigns.refund(terms, 0);
        campaigns.refund(terms, 1);
        assertEq(owedTo(other), 0, "the plagiarist");
        assertEq(owedTo(author), FIX_BOND + ROW_VALUE + ROW_DEPOSIT, "the author");
        assertEq(owedTo(owner), ROW_PRICE, "the owner has the price back");
    }

    // ── Spam

    function test_WhenACampaignIsFilled_EachRowCostsMoreThanTheLast() public {
        IDataCampaign.Terms memory terms = campaignTerms();
        terms.capacity = 10;
        open(terms);
        uint256 honest = campaigns.depositOf(terms, 1);
        uint256 sum = 500 * campaigns.depositOf(terms, 500);
        vm.prank(other);
        campaigns.add{value: sum}(terms, "junk", 500, type(uint128).max, "");
        // 500 rows in fifty times the capacity: the mean row costs 1 + 50 / 2 base deposits.
        assertEq(sum, 500 * 26 * uint256(ROW_DEPOSIT), "what is at stake");
        assertTrue(sum / 500 > 24 * honest, "a row of spam");
    }

    function test_WhenACountIsLargerThanTheData_EachMissingRowCostsItsDeposit() public {
        IDataCampaign.Terms memory terms = opened();
        uint256 sum = 64 * campaigns.depositOf(terms, 64);
        bytes32 only = leafOf(other, 0);
        vm.prank(other);
        campaigns.add{value: sum}(terms, only, 64, type(uint128).max, "one row");
        IDataCampaign.Correction memory missing =
            IDataCampaign.Correction(0, 17, 0, 0, SALT, new bytes32[](0));
        IDataCampaign.Place memory place = fix(terms, fixer, missing);
        judge(terms, place, true);
        passFix(terms, place);
        campaigns.take(terms, place);
        assertEq(owedTo(fixer), uint256(FIX_BOND) + ROW_DEPOSIT, "the missing row's deposit");
    }

    // ── Judges that always say yes

    function test_WhenTheOwnerFindsEveryFixRight_AnAuthorThatAppealsLosesNothing() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Correction memory wrong = correctionOf(terms, 0, 0);
        wrong.corrected = "worse";
        IDataCampaign.Place memory place = fix(terms, other, wrong);
        judge(terms, place, true);
        appeal(terms, place, author);
        empanel(terms, place);
        vote(terms, place, 0);
        campaigns.take(terms, place);
        passFixWindow(terms, 0);
        campaigns.refund(terms, 0);
        assertEq(owedTo(author), ROW_VALUE + FIX_BOND, "row and bond, for the fees of the panel");
        assertEq(owedTo(other), 0, "the owner's accomplice loses its bond");
    }

    function test_WhenTheOwnerSaysYesAndTheAuthorIsAway_ItLosesDepositAndPriceOfTheRow() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Correction memory wrong = correctionOf(terms, 0, 0);
        wrong.corrected = 0;
        IDataCampaign.Place memory place = fix(terms, other, wrong);
        judge(terms, place, true);
        passFix(terms, place);
        campaigns.take(terms, place);
        assertEq(owedTo(other) - FIX_BOND, ROW_DEPOSIT, "the accomplice");
        assertEq(owedTo(owner), ROW_PRICE, "the owner");
    }

    function test_WhenAYesSayingMemberIsOutvoted_ItEarnsNothing() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Place memory place = fix(terms, fixer, 0, 0);
        judge(terms, place, true);
        appeal(terms, place, author);
        empanel(terms, place);
        vote(terms, place, 1);
        campaigns.take(terms, place);
        assertEq(owedTo(panelOf(terms, place).members[0]), 0, "no fee");
        assertTrue(!rowOf(terms, place).isFixed, "no effect");
    }
}
