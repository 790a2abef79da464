// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CampaignState, FixState, FixVerdict, IDataCampaign} from "../../../contracts/campaign/IDataCampaign.sol";
import {IEscrowMoney} from "../../../contracts/interfaces/IEscrowMoney.sol";
import {CampaignSteps} from "../support/CampaignSteps.sol";
import {PlainToken} from "../support/Tokens.sol";

/// @notice Rows of a campaign, their fixes and the owner's verdicts; see rows.tree.
contract CampaignRowsTest is CampaignSteps {
    // ── Open

    function test_WhenOpened_ThePricesOfAllRowsAreLocked() public {
        IDataCampaign.Terms memory terms = opened();
        assertEq(address(campaigns).balance, ROWS * uint256(ROW_PRICE), "prices");
        assertTrue(campaignOf(terms).state == CampaignState.Open, "open");
        assertEq(campaignOf(terms).left, ROWS, "rows left");
    }

    function test_RevertWhen_TermsAreImpossible() public {
        IDataCampaign.Terms memory terms = campaignTerms();
        terms.rows = 0;
        _assertInvalid(terms);
        (terms.rows, terms.capacity) = (1, 0);
        _assertInvalid(terms);
        (terms.capacity, terms.reward) = (1, ROW_PRICE + 1);
        _assertInvalid(terms);
        (terms.reward, terms.deposit) = (0, uint96(PANEL_FEES - 1));
        _assertInvalid(terms);
        (terms.deposit, terms.bond) = (ROW_DEPOSIT, uint96(PANEL_FEES - 1));
        _assertInvalid(terms);
        (terms.bond, terms.fixWindow) = (FIX_BOND, 299);
        _assertInvalid(terms);
        (terms.fixWindow, terms.stepWindow) = (300, 299);
        _assertInvalid(terms);
        terms.stepWindow = 300;
        open(terms);
    }

    function test_RevertWhen_AnotherThanTheOwnerOpens() public {
        IDataCampaign.Terms memory terms = campaignTerms();
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_NotParty.selector, author);
        refuses(author, ROWS * uint256(ROW_PRICE), abi.encodeCall(campaigns.open, (terms, "")), reason);
    }

    function test_RevertWhen_OpenedTwice() public {
        IDataCampaign.Terms memory terms = opened();
        bytes memory data = abi.encodeCall(campaigns.open, (terms, ""));
        refuses(owner, 0, data, refusal(terms, IDataCampaign.DataCampaign_InvalidStatus.selector, 1));
    }

    function test_RevertWhen_OpenedAfterItCloses() public {
        IDataCampaign.Terms memory terms = campaignTerms();
        passTime(terms.closesAt);
        bytes memory data = abi.encodeCall(campaigns.open, (terms, ""));
        refuses(owner, 0, data, refusal(terms, IDataCampaign.DataCampaign_TooLate.selector, terms.closesAt));
    }

    function test_RevertWhen_PaidAnotherSum() public {
        IDataCampaign.Terms memory terms = campaignTerms();
        uint256 sum = ROWS * uint256(ROW_PRICE);
        refuses(owner, sum - 1, abi.encodeCall(campaigns.open, (terms, "")), wrongPayment(sum - 1, sum));
    }

    function test_RevertWhen_TheDescriptionIsTooLong() public {
        bytes memory data = abi.encodeCall(campaigns.open, (campaignTerms(), new bytes(1025)));
        refuses(owner, 0, data, abi.encodeWithSelector(IDataCampaign.DataCampaign_TooLong.selector, 1025, 1024));
    }

    // ── Add

    function test_WhenABatchIsAdded_EachRowIsCountedAndPaidADeposit() public {
        IDataCampaign.Terms memory terms = opened();
        assertEq(add(terms, author, 64), 0, "first entry");
        assertEq(add(terms, other, 1), 1, "second entry");
        IDataCampaign.Entry memory entry = entryOf(terms, 0);
        assertEq(entry.author, author, "author");
        assertEq(entry.count, 64, "rows");
        assertEq(campaignOf(terms).left, ROWS - 65, "rows left");
        assertEq(address(campaigns).balance, ROWS * uint256(ROW_PRICE) + 65 * uint256(ROW_DEPOSIT), "deposits");
    }

    function testFuzz_WhenCoinBeyondTheDepositsIsSent_TheRestIsOwedToTheCaller(uint64 more) public {
        IDataCampaign.Terms memory terms = opened();
        uint256 sum = 65 * campaigns.depositOf(terms, 65) + more;
        vm.deal(author, sum);
        vm.prank(author);
        campaigns.add{value: sum}(terms, "root", 65, type(uint128).max, "");
        assertEq(campaigns.owed(author, address(0)), more, "what was too much");
        assertEq(address(campaigns).balance, ROWS * uint256(ROW_PRICE) + sum, "locked and owed");
    }

    function testFuzz_DepositsRiseWithThePaceOfAddingAndFallWithTime(uint32 count, uint24 wait) public {
        count = 1 + count % 400;
        IDataCampaign.Terms memory terms = campaignTerms();
        terms.capacity = 100;
        open(terms);
        uint256 first = campaigns.depositOf(terms, 1);
        assertEq(first, ROW_DEPOSIT + uint256(ROW_DEPOSIT) / 200, "half a row's rise");
        uint256 sum = count * campaigns.depositOf(terms, count);
        vm.prank(author);
        campaigns.add{value: sum}(terms, "root", count, type(uint128).max, "");
        uint256 after_ = campaigns.depositOf(terms, 1);
        uint256 wanted = ROW_DEPOSIT + uint256(ROW_DEPOSIT) * (2 * count + 1) / 200;
        assertEq(after_, wanted, "risen by the rows that were added");
        vm.warp(vm.getBlockTimestamp() + wait);
        assertTrue(campaigns.depositOf(terms, 1) <= after_, "never rises by itself");
        vm.warp(vm.getBlockTimestamp() + 5 * uint256(FIX_WINDOW));
        assertEq(campaigns.depositOf(terms, 1), first, "back where it was");
    }

    function testFuzz_DividingABatchMakesItNoCheaper(uint32 one, uint32 two) public {
        (one, two) = (1 + one % 300, 1 + two % 300);
        IDataCampaign.Terms memory terms = campaignTerms();
        terms.capacity = 50;
        open(terms);
        uint256 whole = (one + two) * campaigns.depositOf(terms, one + two);
        uint256 first = one * campaigns.depositOf(terms, one);
        vm.prank(author);
        campaigns.add{value: first}(terms, "root", one, type(uint128).max, "");
        uint256 divided = first + two * campaigns.depositOf(terms, two);
        // Each deposit is rounded down to a whole unit a row.
        assertTrue(divided + one + two >= whole && whole + one + two >= divided, "the same to a unit a row");
    }

    function test_RevertWhen_MoreRowsAreAddedThanAreLeft() public {
        IDataCampaign.Terms memory terms = opened();
        bytes4 selector = IDataCampaign.DataCampaign_WrongCount.selector;
        bytes32 id = campaigns.campaignIdOf(terms);
        refuses(author, 0, _adding(terms, ROWS + 1), abi.encodeWithSelector(selector, id, ROWS + 1, ROWS));
        refuses(author, 0, _adding(terms, 0), abi.encodeWithSelector(selector, id, 0, ROWS));
    }

    function test_RevertWhen_TheDepositHasRisenAboveWhatIsAllowed() public {
        IDataCampaign.Terms memory terms = opened();
        bytes memory data = abi.encodeCall(campaigns.add, (terms, "root", 1, ROW_DEPOSIT - 1, ""));
        bytes4 selector = IDataCampaign.DataCampaign_TooDear.selector;
        refuses(author, 0, data, abi.encodeWithSelector(selector, ROW_DEPOSIT, ROW_DEPOSIT - 1));
    }

    function test_RevertWhen_AddedLate() public {
        IDataCampaign.Terms memory terms = opened();
        passTime(terms.closesAt);
        refuses(
            author, 0, _adding(terms, 1), refusal(terms, IDataCampaign.DataCampaign_TooLate.selector, terms.closesAt)
        );
    }

    function test_RevertWhen_AddedToAClosedCampaign() public {
        IDataCampaign.Terms memory terms = opened();
        vm.prank(owner);
        campaigns.close(terms);
        refuses(author, 0, _adding(terms, 1), refusal(terms, IDataCampaign.DataCampaign_InvalidStatus.selector, 2));
    }

    function test_RevertWhen_TheLocatorIsTooLong() public {
        IDataCampaign.Terms memory terms = opened();
        bytes memory data = abi.encodeCall(campaigns.add, (terms, "root", 1, type(uint128).max, new bytes(129)));
        refuses(author, 0, data, abi.encodeWithSelector(IDataCampaign.DataCampaign_TooLong.selector, 129, 128));
    }

    // ── Fix

    function test_WhenFixed_TheRowIsHeldAndTheOthersAreNot() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 8);
        IDataCampaign.Place memory place = fix(terms, fixer, 0, 5);
        assertEq(entryOf(terms, 0).contested, 1, "contested");
        assertEq(fixOf(terms, place).fixer, fixer, "fixer");
        assertTrue(isStanding(terms, place, FixState.Judging), "the owner judges");
    }

    function testFuzz_AnyRowOfABatchIsProvenByItsPathInTheTree(uint32 row) public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 32);
        fix(terms, fixer, 0, row % 32);
        assertEq(entryOf(terms, 0).contested, 1, "contested");
    }

    function test_RevertWhen_TheProofIsOfAnotherRow() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 8);
        IDataCampaign.Correction memory correction = correctionOf(terms, 0, 5);
        correction.row = 4;
        _assertUnfixable(terms, correction, _rowReason(terms, IDataCampaign.DataCampaign_WrongProof.selector, 4));
    }

    function test_RevertWhen_TheTreeIsACopyOfAnothers() public {
        IDataCampaign.Terms memory terms = opened();
        (bytes32 root,) = treeOf(author, 8, 0);
        uint256 sum = 8 * campaigns.depositOf(terms, 8);
        vm.prank(other);
        campaigns.add{value: sum}(terms, root, 8, type(uint128).max, "");
        (, bytes32[] memory proof) = treeOf(author, 8, 3);
        IDataCampaign.Correction memory correction = correctionOf(terms, 0, 3);
        correction.proof = proof;
        // No row of the tree is its author's, so each of them can be said to be missing.
        _assertUnfixable(terms, correction, _rowReason(terms, IDataCampaign.DataCampaign_WrongProof.selector, 3));
        fix(terms, fixer, _missing(0, 3));
    }

    function test_RevertWhen_TheCorrectionSaysNothing() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 8);
        bytes memory reason = _rowReason(terms, IDataCampaign.DataCampaign_NoRow.selector, 5);
        IDataCampaign.Correction memory correction = correctionOf(terms, 0, 5);
        correction.corrected = correction.original;
        _assertUnfixable(terms, correction, reason);
        correction = _missing(0, 5);
        correction.corrected = "anything";
        _assertUnfixable(terms, correction, reason);
        correction = _missing(0, 8);
        _assertUnfixable(terms, correction, _rowReason(terms, IDataCampaign.DataCampaign_NoRow.selector, 8));
    }

    function test_RevertWhen_TheEntryDoesNotExist() public {
        IDataCampaign.Terms memory terms = opened();
        bytes4 selector = IDataCampaign.DataCampaign_NoEntry.selector;
        _assertUnfixable(terms, _missing(0, 0), refusal(terms, selector, 0));
    }

    function test_RevertWhen_TheAuthorFixesItsOwnRow() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        bytes memory data = abi.encodeCall(campaigns.fix, (terms, correctionOf(terms, 0, 0), ""));
        refuses(author, 0, data, refusal(terms, IDataCampaign.DataCampaign_NotParty.selector, author));
    }

    function test_RevertWhen_FixedWithoutAnEarlierCommitment() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Correction memory correction = correctionOf(terms, 0, 0);
        bytes32 commitment = campaigns.fixCommitmentOf(campaigns.campaignIdOf(terms), fixer, correction);
        bytes memory data = abi.encodeCall(campaigns.fix, (terms, correction, ""));
        bytes memory reason = abi.encodeWithSelector(IDataCampaign.DataCampaign_NotCommitted.selector, commitment);
        refuses(fixer, FIX_BOND, data, reason);
        campaigns.commitFix(commitment);
        refuses(fixer, FIX_BOND, data, reason);
        refuses(
            owner,
            0,
            abi.encodeCall(campaigns.commitFix, (commitment)),
            abi.encodeWithSelector(IDataCampaign.DataCampaign_AlreadyCommitted.selector, commitment)
        );
        vm.roll(vm.getBlockNumber() + 1);
        vm.prank(fixer);
        campaigns.fix{value: FIX_BOND}(terms, correction, "");
    }

    function test_RevertWhen_FixedLate() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        uint256 deadline = vm.getBlockTimestamp() + FIX_WINDOW;
        passFixWindow(terms, 0);
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_TooLate.selector, deadline);
        _assertUnfixable(terms, correctionOf(terms, 0, 0), reason);
    }

    function test_RevertWhen_TheRowIsFixedAlready() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Place memory place = fix(terms, fixer, 0, 0);
        judge(terms, place, true);
        passFix(terms, place);
        campaigns.take(terms, place);
        bytes memory reason = _rowReason(terms, IDataCampaign.DataCampaign_AlreadyFixed.selector, 0);
        _assertUnfixable(terms, correctionOf(terms, 0, 0), reason);
    }

    function test_RevertWhen_TheCorrectedRowIsTooLong() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        bytes memory data = abi.encodeCall(campaigns.fix, (terms, correctionOf(terms, 0, 0), new bytes(1025)));
        refuses(fixer, 0, data, abi.encodeWithSelector(IDataCampaign.DataCampaign_TooLong.selector, 1025, 1024));
    }

    // ── Judge and take

    function test_WhenTheOwnerFindsAFixRight_TheFixerGetsDepositAndRewardAndTheOwnerTheRest() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Place memory place = fix(terms, fixer, 0, 0);
        judge(terms, place, true);
        passFix(terms, place);
        campaigns.take(terms, place);
        assertEq(owedTo(fixer), uint256(FIX_BOND) + ROW_DEPOSIT + REWARD, "fixer");
        assertEq(owedTo(owner), ROW_PRICE - REWARD, "owner");
        assertTrue(rowOf(terms, place).isFixed, "fixed");
    }

    function test_WhenARowIsRemoved_TheFixerGetsTheDepositAlone() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Place memory place = fix(terms, fixer, _missing(0, 0));
        judge(terms, place, true);
        passFix(terms, place);
        campaigns.take(terms, place);
        assertEq(owedTo(fixer), uint256(FIX_BOND) + ROW_DEPOSIT, "fixer");
        assertEq(owedTo(owner), ROW_PRICE, "owner");
    }

    function test_WhenAFixIsFalse_TheAuthorGetsTheBond() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Place memory place = fix(terms, fixer, 0, 0);
        judge(terms, place, false);
        passFix(terms, place);
        campaigns.take(terms, place);
        assertEq(owedTo(author), FIX_BOND, "the bond");
        assertEq(owedTo(fixer), 0, "fixer");
        passFixWindow(terms, 0);
        campaigns.refund(terms, 0);
        assertEq(owedTo(author), uint256(FIX_BOND) + ROW_DEPOSIT + ROW_PRICE, "bond, deposit and price");
    }

    function test_WhenNobodyDecides_TheRowStandsAndTheBondGoesBack() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Place memory place = fix(terms, fixer, 0, 0);
        passTime(uint256(fixOf(terms, place).deadline) + STEP);
        campaigns.take(terms, place);
        passFixWindow(terms, 0);
        campaigns.refund(terms, 0);
        assertEq(owedTo(fixer), FIX_BOND, "fixer");
        assertEq(owedTo(author), uint256(ROW_DEPOSIT) + ROW_PRICE, "author");
    }

    function test_WhenAContestedRowStandsAfterTheRefund_ItIsPaidThen() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 2);
        vm.warp(vm.getBlockTimestamp() + FIX_WINDOW);
        IDataCampaign.Place memory place = fix(terms, fixer, 0, 1);
        passFixWindow(terms, 0);
        campaigns.refund(terms, 0);
        uint256 row = uint256(ROW_DEPOSIT) + ROW_PRICE;
        assertEq(owedTo(author), row, "the other row");
        passTime(uint256(fixOf(terms, place).deadline) + STEP);
        campaigns.take(terms, place);
        assertEq(owedTo(author), 2 * row, "both rows");
    }

    function test_WhenTwoFixARow_TheFirstThatIsRightWinsAndTheOtherGetsItsBondBack() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Place memory first = fix(terms, fixer, 0, 0);
        IDataCampaign.Place memory second = fix(terms, other, 0, 0);
        assertEq(entryOf(terms, 0).contested, 1, "one row");
        judge(terms, second, true);
        judge(terms, first, true);
        passFix(terms, first);
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_WrongOrder.selector, 0);
        refuses(other, 0, abi.encodeCall(campaigns.take, (terms, second)), reason);
        campaigns.take(terms, first);
        campaigns.take(terms, second);
        assertEq(owedTo(fixer), uint256(FIX_BOND) + ROW_DEPOSIT + REWARD, "first");
        assertEq(owedTo(other), FIX_BOND, "second");
        passFixWindow(terms, 0);
        campaigns.refund(terms, 0);
        assertEq(owedTo(author), 0, "author");
    }

    function test_WhenAFalseFixComesFirst_TheTrueOneStillWins() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        IDataCampaign.Correction memory wrong = correctionOf(terms, 0, 0);
        wrong.corrected = "as wrong as before";
        IDataCampaign.Place memory first = fix(terms, other, wrong);
        IDataCampaign.Place memory second = fix(terms, fixer, 0, 0);
        judge(terms, first, false);
        judge(terms, second, true);
        passFix(terms, second);
        campaigns.take(terms, first);
        campaigns.take(terms, second);
        assertEq(owedTo(fixer), uint256(FIX_BOND) + ROW_DEPOSIT + REWARD, "the true one");
        assertEq(owedTo(author), FIX_BOND, "the false one's bond");
    }

    function test_RevertWhen_AnotherThanTheOwnerJudges() public {
        (IDataCampaign.Terms memory terms, IDataCampaign.Place memory place) = _contested();
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_NotParty.selector, fixer);
        refuses(fixer, 0, abi.encodeCall(campaigns.judge, (terms, place, true)), reason);
    }

    function test_RevertWhen_JudgedTwice() public {
        (IDataCampaign.Terms memory terms, IDataCampaign.Place memory place) = _contested();
        judge(terms, place, true);
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_InvalidFixStatus.selector, 2);
        refuses(owner, 0, abi.encodeCall(campaigns.judge, (terms, place, false)), reason);
    }

    function test_RevertWhen_JudgedLate() public {
        (IDataCampaign.Terms memory terms, IDataCampaign.Place memory place) = _contested();
        uint256 deadline = fixOf(terms, place).deadline;
        passTime(deadline);
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_TooLate.selector, deadline);
        refuses(owner, 0, abi.encodeCall(campaigns.judge, (terms, place, true)), reason);
    }

    function test_RevertWhen_TakenBeforeTheLoserCouldAppeal() public {
        (IDataCampaign.Terms memory terms, IDataCampaign.Place memory place) = _contested();
        judge(terms, place, true);
        vm.warp(fixOf(terms, place).deadline);
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_TooEarly.selector, vm.getBlockTimestamp());
        refuses(fixer, 0, abi.encodeCall(campaigns.take, (terms, place)), reason);
    }

    function test_RevertWhen_TakenTwice() public {
        (IDataCampaign.Terms memory terms, IDataCampaign.Place memory place) = _contested();
        judge(terms, place, true);
        passFix(terms, place);
        campaigns.take(terms, place);
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_InvalidFixStatus.selector, 5);
        refuses(fixer, 0, abi.encodeCall(campaigns.take, (terms, place)), reason);
    }

    // ── Refund and close

    function test_ABatchOf128RowsWith10FixedIsPaidAndLostByTheRow() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 128);
        for (uint32 row = 0; row < 10; ++row) {
            IDataCampaign.Place memory place = fix(terms, fixer, 0, 7 * row);
            judge(terms, place, true);
            passFix(terms, place);
            campaigns.take(terms, place);
            vm.warp(entryOf(terms, 0).addedAt);
        }
        passFixWindow(terms, 0);
        campaigns.refund(terms, 0);
        assertEq(owedTo(author), 118 * (uint256(ROW_DEPOSIT) + ROW_PRICE), "118 rows");
        assertEq(owedTo(fixer), 10 * (uint256(FIX_BOND) + ROW_DEPOSIT + REWARD), "10 rows");
    }

    function test_RevertWhen_RefundedWhileRowsCanBeFixed() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        uint256 deadline = vm.getBlockTimestamp() + FIX_WINDOW;
        vm.warp(deadline);
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_TooEarly.selector, deadline);
        refuses(author, 0, abi.encodeCall(campaigns.refund, (terms, 0)), reason);
    }

    function test_RevertWhen_RefundedTwice() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 1);
        passFixWindow(terms, 0);
        campaigns.refund(terms, 0);
        bytes memory reason = refusal(terms, IDataCampaign.DataCampaign_AlreadyRefunded.selector, 0);
        refuses(author, 0, abi.encodeCall(campaigns.refund, (terms, 0)), reason);
    }

    function test_WhenTheOwnerCloses_ItGetsWhatNoRowHasTaken() public {
        IDataCampaign.Terms memory terms = opened();
        add(terms, author, 4);
        vm.prank(owner);
        campaigns.close(terms);
        assertEq(owedTo(owner), (ROWS - 4) * uint256(ROW_PRICE), "the rest");
        passFixWindow(terms, 0);
        campaigns.refund(terms, 0);
        assertEq(owedTo(author), 4 * (uint256(ROW_DEPOSIT) + ROW_PRICE), "added rows keep theirs");
    }

    function test_WhenTheOwnerIsSilent_AnybodyClosesInTime() public {
        IDataCampaign.Terms memory terms = opened();
        bytes memory data = abi.encodeCall(campaigns.close, (terms));
        refuses(other, 0, data, refusal(terms, IDataCampaign.DataCampaign_NotParty.selector, other));
        passTime(terms.closesAt);
        vm.prank(other);
        campaigns.close(terms);
        assertEq(owedTo(owner), ROWS * uint256(ROW_PRICE), "the rest");
        refuses(other, 0, data, refusal(terms, IDataCampaign.DataCampaign_InvalidStatus.selector, 2));
    }

    function test_WhenPaidInAToken_AllSumsAreInIt() public {
        PlainToken token = new PlainToken();
        address[3] memory parties = [owner, author, fixer];
        for (uint256 i = 0; i < 3; ++i) {
            token.mint(parties[i], 1000 ether);
            vm.prank(parties[i]);
            token.approve(address(campaigns), type(uint256).max);
        }
        IDataCampaign.Terms memory terms = campaignTerms();
        terms.token = address(token);
        open(terms);
        add(terms, author, 2);
        IDataCampaign.Place memory place = fix(terms, fixer, 0, 0);
        judge(terms, place, true);
        appeal(terms, place, author);
        empanel(terms, place);
        vote(terms, place, 3);
        campaigns.take(terms, place);
        passFixWindow(terms, 0);
        campaigns.refund(terms, 0);
        vm.prank(fixer);
        campaigns.withdraw(fixer, address(token));
        assertEq(token.balanceOf(fixer), 1000 ether + ROW_DEPOSIT + REWARD, "fixer");
        assertEq(campaigns.owed(author, address(token)), uint256(ROW_DEPOSIT) + ROW_PRICE, "author");
        refuses(
            author,
            0,
            abi.encodeCall(IEscrowMoney.withdraw, (author, address(0))),
            abi.encodeWithSelector(IEscrowMoney.Escrow_NothingOwed.selector, author, address(0))
        );
    }

    // ── Steps

    function _contested() private returns (IDataCampaign.Terms memory terms, IDataCampaign.Place memory place) {
        add(terms = opened(), author, 1);
        place = fix(terms, fixer, 0, 0);
        assertTrue(fixOf(terms, place).verdict == FixVerdict.None, "no verdict");
    }

    function _missing(uint32 entry, uint32 row) private pure returns (IDataCampaign.Correction memory) {
        return IDataCampaign.Correction(entry, row, 0, 0, SALT, new bytes32[](0));
    }

    function _adding(IDataCampaign.Terms memory terms, uint32 count) private view returns (bytes memory) {
        return abi.encodeCall(campaigns.add, (terms, "root", count, type(uint128).max, ""));
    }

    function _assertInvalid(IDataCampaign.Terms memory terms) private {
        bytes memory reason = abi.encodeWithSelector(IDataCampaign.DataCampaign_InvalidTerms.selector);
        refuses(owner, 0, abi.encodeCall(campaigns.open, (terms, "")), reason);
    }

    function _assertUnfixable(
        IDataCampaign.Terms memory terms,
        IDataCampaign.Correction memory correction,
        bytes memory reason
    ) private {
        commitFix(terms, fixer, correction);
        refuses(fixer, FIX_BOND, abi.encodeCall(campaigns.fix, (terms, correction, "")), reason);
    }

    function _rowReason(IDataCampaign.Terms memory terms, bytes4 selector, uint32 row)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeWithSelector(selector, campaigns.campaignIdOf(terms), 0, row);
    }
}
