// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IChainModel} from "../../../contracts/models/IChainModel.sol";
import {IPredictionGame} from "../../../contracts/models/IPredictionGame.sol";
import {Deploy} from "../support/Deploy.sol";

/// @notice Whatever is added, refunded and taken, the game holds what it owes and what is left of deposits; and anybody ends
/// every deposit in bounded time, with every subset of the parties silent. See exit.tree.
contract PredictionGameExitTest is Deploy {
    uint24 private constant REFUND_WAIT = 1 days;
    uint24 private constant OWNER_WAIT = 3 days;
    uint24 private constant ANY_WAIT = 9 days;
    uint256 private constant MOST_CALLS = 24;

    IPredictionGame private game;
    IChainModel private model;
    address[3] private players;
    IPredictionGame.Sample[] private samples;
    /// What was sent and not withdrawn.
    uint256 private held;

    function setUp() public {
        game = IPredictionGame(deploy("PredictionGame", ""));
        model = IChainModel(deploy("SparsePerceptron", abi.encode(8, int64(0), int64(500_000_000))));
        model.handOver(address(game));
        game.open(model, IPredictionGame.Game(1_000_000, REFUND_WAIT, OWNER_WAIT, ANY_WAIT, 0, 0));
        players = [vm.addr(2), vm.addr(3), vm.addr(4)];
    }

    /// @param seed Six bits a call.
    function testFuzz_WhenAnythingIsCalled_MoneyIsOwedOrLeft(uint256 seed) public {
        for (uint256 i = 0; i < MOST_CALLS; ++i) {
            _act(seed >> (8 * i), 7);
            _assertConserved();
        }
    }

    /// @dev Eight subsets of: the owner, the authors, accounts with good rows.
    function testFuzz_WhenAnyPartiesAreSilent_AnybodyEndsEveryDeposit(uint256 seed) public {
        for (uint256 active = 0; active < 8; ++active) {
            uint256 snapshot = vm.snapshotState();
            for (uint256 i = 0; i < MOST_CALLS; ++i) {
                _act(seed >> (8 * i), active);
            }
            uint256 until = vm.getBlockTimestamp() + ANY_WAIT + 1;
            vm.warp(until);
            for (uint256 i = 0; i < samples.length; ++i) {
                if (game.leftOf(model, samples[i]) != 0) _call(vm.addr(5), abi.encodeCall(game.take, (model, samples[i])));
                assertEq(game.leftOf(model, samples[i]), 0, "ended");
            }
            _assertConserved();
            vm.revertToState(snapshot);
        }
    }

    /// @dev Rows are always added; the other calls are made by those that are active, and may be refused.
    function _act(uint256 seed, uint256 active) private {
        address player = players[seed % 3];
        uint256 what = (seed >> 2) % 8;
        if (samples.length == 0 || what < 3) return _add(player, uint16(seed >> 5) % 8, uint8(seed >> 4) % 2);
        IPredictionGame.Sample memory sample = samples[(seed >> 5) % samples.length];
        if (what == 3) vm.warp(vm.getBlockTimestamp() + REFUND_WAIT / 2 + 1);
        else if (what < 6 && active & 2 != 0) _call(sample.author, abi.encodeCall(game.refund, (model, sample)));
        else if (what == 6 && active & 4 != 0) _call(player, abi.encodeCall(game.take, (model, sample)));
        else if (what == 7 && active & 1 != 0) _call(address(this), abi.encodeCall(game.take, (model, sample)));
    }

    function _add(address by, uint16 word, uint8 label) private {
        vm.warp(vm.getBlockTimestamp() + 60);
        uint16[] memory words = new uint16[](1);
        words[0] = word;
        uint256 deposit = game.costOf(model);
        vm.deal(by, deposit + 1);
        vm.prank(by);
        game.add{value: deposit + 1}(model, words, label);
        held += deposit + 1;
        samples.push(IPredictionGame.Sample(by, uint40(vm.getBlockTimestamp()), deposit, label, words));
    }

    function _call(address by, bytes memory data) private {
        vm.prank(by);
        (bool done,) = address(game).call(data);
        // A refusal changes nothing; which ones there are, game.tree says.
        if (!done) return;
    }

    function _assertConserved() private view {
        uint256 sum = game.owed(address(this), address(0)) + game.owed(vm.addr(5), address(0));
        for (uint256 i = 0; i < players.length; ++i) {
            sum += game.owed(players[i], address(0));
        }
        for (uint256 i = 0; i < samples.length; ++i) {
            sum += game.leftOf(model, samples[i]);
        }
        assertEq(address(game).balance, held, "held");
        assertEq(sum, held, "owed or left");
    }
}
