// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IChainModel} from "../../../contracts/models/IChainModel.sol";
import {IPredictionGame} from "../../../contracts/models/IPredictionGame.sol";
import {IEscrowMoney} from "../../../contracts/interfaces/IEscrowMoney.sol";
import {Deploy} from "../support/Deploy.sol";

/// @notice Deposit, refund and take by what a model predicts; see game.tree.
contract PredictionGameTest is Deploy {
    uint96 private constant WEIGHT = 1_000_000;
    uint24 private constant REFUND_WAIT = 1 days;
    uint24 private constant OWNER_WAIT = 3 days;
    uint24 private constant ANY_WAIT = 9 days;

    IPredictionGame private game;
    IChainModel private model;
    address private owner;
    address private good;
    address private bad;
    address private other;

    function setUp() public {
        (owner, good, bad, other) = (address(this), vm.addr(2), vm.addr(3), vm.addr(4));
        vm.deal(good, 1000 ether);
        vm.deal(bad, 1000 ether);
        game = IPredictionGame(deploy("PredictionGame", ""));
        model = _model();
        vm.prank(owner);
        game.open(model, _terms());
    }

    // ── Open

    function test_RevertWhen_TheModelIsNotHandedOver() public {
        IChainModel fresh = IChainModel(deploy("SparsePerceptron", abi.encode(16, int64(0), int64(1))));
        bytes4 selector = IPredictionGame.PredictionGame_InvalidTerms.selector;
        _refuses(owner, abi.encodeCall(game.open, (fresh, _terms())), selector);
    }

    function test_RevertWhen_OpenedTwiceOrWithWaitsOutOfOrder() public {
        bytes4 selector = IPredictionGame.PredictionGame_InvalidTerms.selector;
        _refuses(owner, abi.encodeCall(game.open, (model, _terms())), selector);
        IChainModel another = _model();
        IPredictionGame.Game memory terms = _terms();
        terms.ownerWait = REFUND_WAIT - 1;
        _refuses(owner, abi.encodeCall(game.open, (another, terms)), selector);
        (terms.ownerWait, terms.anyWait) = (OWNER_WAIT, OWNER_WAIT - 1);
        _refuses(owner, abi.encodeCall(game.open, (another, terms)), selector);
    }

    function test_RevertWhen_AnotherThanTheModelsOwnerOpens() public {
        IChainModel another = _model();
        bytes memory reason = abi.encodeWithSelector(IPredictionGame.PredictionGame_NotOwner.selector, other);
        _refusesWith(other, 0, abi.encodeCall(game.open, (another, _terms())), reason);
    }

    // ── Add

    function testFuzz_ADepositIsTheWeightByTheRootOfThePause(uint24 pause) public {
        vm.warp(vm.getBlockTimestamp() + pause);
        uint256 root = 0;
        while ((root + 1) * (root + 1) <= pause) {
            ++root;
        }
        assertEq(game.costOf(model), uint256(WEIGHT) * 3600 / (root == 0 ? 1 : root), "deposit");
    }

    function test_WhenARowIsAdded_TheModelLearnsAndTheExcessIsOwed() public {
        vm.warp(vm.getBlockTimestamp() + 100);
        uint16[] memory words = _words(3);
        assertEq(model.predict(words), 0, "before");
        uint256 deposit = game.costOf(model);
        assertEq(deposit, uint256(WEIGHT) * 360, "by ten");
        vm.prank(good);
        game.add{value: deposit + 7}(model, words, 1);
        assertEq(model.predict(words), 1, "after");
        assertEq(_owed(good), 7, "the excess");
        assertEq(game.leftOf(model, _sample(good, words, 1, deposit)), deposit, "the deposit");
    }

    function test_RevertWhen_TooLittleIsPaid() public {
        uint256 deposit = game.costOf(model);
        bytes memory reason =
            abi.encodeWithSelector(IEscrowMoney.Escrow_WrongPayment.selector, deposit - 1, deposit);
        _refusesWith(good, deposit - 1, abi.encodeCall(game.add, (model, _words(3), 1)), reason);
    }

    function test_RevertWhen_TheSameRowIsAddedTwiceInABlock() public {
        _add(good, _words(3), 1);
        bytes4 selector = IPredictionGame.PredictionGame_AlreadyAdded.selector;
        uint256 deposit = game.costOf(model);
        _refusesFor(good, deposit, abi.encodeCall(game.add, (model, _words(3), 1)), selector);
    }

    // ── Refund and take

    function test_WhenTheModelAgrees_TheAuthorGetsItsDepositAndCountsAsGood() public {
        IPredictionGame.Sample memory sample = _add(good, _words(3), 1);
        bytes memory data = abi.encodeCall(game.refund, (model, sample));
        _refuses(good, data, IPredictionGame.PredictionGame_TooEarly.selector);
        vm.warp(vm.getBlockTimestamp() + REFUND_WAIT + 1);
        _refuses(bad, data, IPredictionGame.PredictionGame_NotOwner.selector);
        vm.prank(good);
        game.refund(model, sample);
        assertEq(_owed(good), sample.deposit, "refunded");
        assertEq(game.goodOf(model, good), 1, "a good row");
        _refuses(good, data, IPredictionGame.PredictionGame_NothingLeft.selector);
    }

    function test_WhenTheModelDisagrees_AccountsWithGoodRowsShareTheDeposit() public {
        IPredictionGame.Sample memory first = _add(good, _words(3), 1);
        IPredictionGame.Sample memory second = _add(other, _words(3), 1);
        // The model forgets the bad row at once: two others say the opposite.
        IPredictionGame.Sample memory wrong = _add(bad, _words(7), 1);
        _add(good, _words(7), 0);
        _add(good, _words(7), 0);
        assertEq(model.predict(_words(7)), 0, "disagrees");
        vm.warp(vm.getBlockTimestamp() + REFUND_WAIT + 1);
        _refuses(
            bad, abi.encodeCall(game.refund, (model, wrong)), IPredictionGame.PredictionGame_ModelDisagrees.selector
        );
        bytes memory data = abi.encodeCall(game.take, (model, wrong));
        _refuses(good, data, IPredictionGame.PredictionGame_NoGoodRows.selector);
        vm.prank(good);
        game.refund(model, first);
        vm.prank(other);
        game.refund(model, second);
        _refuses(bad, data, IPredictionGame.PredictionGame_NotOwner.selector);
        uint256 before = _owed(good);
        vm.prank(good);
        assertEq(game.take(model, wrong), wrong.deposit / 2, "half");
        assertEq(_owed(good) - before, wrong.deposit / 2, "owed");
        _refuses(good, data, IPredictionGame.PredictionGame_NotOwner.selector);
        vm.prank(other);
        assertEq(game.take(model, wrong), wrong.deposit / 2, "the other half");
    }

    function test_RevertWhen_ADepositIsTakenThatTheModelAgreesWith() public {
        IPredictionGame.Sample memory mine = _add(good, _words(3), 1);
        IPredictionGame.Sample memory sample = _add(other, _words(5), 1);
        vm.warp(vm.getBlockTimestamp() + REFUND_WAIT + 1);
        vm.prank(good);
        game.refund(model, mine);
        bytes memory data = abi.encodeCall(game.take, (model, sample));
        _refuses(good, data, IPredictionGame.PredictionGame_ModelAgrees.selector);
    }

    function test_WhenNobodyActs_TheOwnerTakesAndThenAnybody() public {
        IPredictionGame.Sample memory first = _add(good, _words(3), 1);
        IPredictionGame.Sample memory second = _add(bad, _words(5), 1);
        vm.warp(vm.getBlockTimestamp() + OWNER_WAIT + 1);
        vm.prank(owner);
        assertEq(game.take(model, first), first.deposit, "the owner's");
        bytes memory data = abi.encodeCall(game.take, (model, second));
        _refuses(other, data, IPredictionGame.PredictionGame_NoGoodRows.selector);
        vm.warp(vm.getBlockTimestamp() + ANY_WAIT - OWNER_WAIT);
        vm.prank(other);
        assertEq(game.take(model, second), second.deposit, "anybody's");
        assertEq(address(game).balance, _owed(owner) + _owed(other) + _owed(good) + _owed(bad), "all is owed");
    }

    // ── Steps

    /// @dev This contract's, and handed over to the game.
    function _model() private returns (IChainModel made) {
        made = IChainModel(deploy("SparsePerceptron", abi.encode(16, int64(0), int64(500_000_000))));
        made.handOver(address(game));
    }

    function _terms() private pure returns (IPredictionGame.Game memory) {
        return IPredictionGame.Game(WEIGHT, REFUND_WAIT, OWNER_WAIT, ANY_WAIT, 0, 0);
    }

    function _words(uint16 word) private pure returns (uint16[] memory words) {
        words = new uint16[](1);
        words[0] = word;
    }

    function _add(address by, uint16[] memory words, uint8 label)
        private
        returns (IPredictionGame.Sample memory sample)
    {
        uint256 deposit = game.costOf(model);
        sample = _sample(by, words, label, deposit);
        vm.deal(by, 1000 ether);
        vm.prank(by);
        game.add{value: deposit}(model, words, label);
        if (label == 0) vm.warp(vm.getBlockTimestamp() + 1);
    }

    function _sample(address by, uint16[] memory words, uint8 label, uint256 deposit)
        private
        view
        returns (IPredictionGame.Sample memory)
    {
        return IPredictionGame.Sample(by, uint40(vm.getBlockTimestamp()), deposit, label, words);
    }

    function _owed(address who) private view returns (uint256) {
        return game.owed(who, address(0));
    }

    function _refuses(address who, bytes memory data, bytes4 selector) private {
        _refusesFor(who, 0, data, selector);
    }

    function _refusesFor(address who, uint256 value, bytes memory data, bytes4 selector) private {
        vm.prank(who);
        (bool done, bytes memory why) = address(game).call{value: value}(data);
        assertTrue(!done && bytes4(why) == selector, "refuses with this error");
    }

    function _refusesWith(address who, uint256 value, bytes memory data, bytes memory reason) private {
        vm.prank(who);
        (bool done, bytes memory why) = address(game).call{value: value}(data);
        assertTrue(!done && keccak256(why) == keccak256(reason), "refuses for this reason");
    }
}
