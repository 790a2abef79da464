// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {EscrowMoney} from "../escrow/EscrowMoney.sol";
import {IChainModel} from "./IChainModel.sol";
import {IPredictionGame} from "./IPredictionGame.sol";

/// @title Deposits that a model on the chain judges; see {IPredictionGame}
/// @dev A model's code is its owner's: `update` comes last in {add}, and `predict` is called without the right to write.
contract PredictionGame is EscrowMoney, IPredictionGame {
    mapping(address model => Game) private _games;
    mapping(address model => mapping(address account => uint256)) private _good;
    mapping(bytes32 sampleId => uint256) private _left;
    mapping(bytes32 sampleId => mapping(address account => bool)) private _claimed;

    /// @inheritdoc IPredictionGame
    function open(IChainModel model, Game calldata game) external {
        // Check
        if (msg.sender != model.owner()) revert PredictionGame_NotOwner(msg.sender);
        bool ordered = game.refundWait <= game.ownerWait && game.ownerWait <= game.anyWait;
        bool fresh = _games[address(model)].addedAt == 0 && game.addedAt == 0 && game.totalGood == 0;
        if (!ordered || !fresh || model.keeper() != address(this)) revert PredictionGame_InvalidTerms();

        // Effect
        _games[address(model)] = game;
        _games[address(model)].addedAt = uint40(block.timestamp);
        emit GameOpened(address(model), game);
    }

    /// @inheritdoc IPredictionGame
    function add(IChainModel model, uint16[] calldata words, uint8 label) external payable {
        // Check
        Game storage game = _games[address(model)];
        if (game.addedAt == 0) revert PredictionGame_InvalidTerms();
        uint256 deposit = costOf(model);
        if (msg.value < deposit) revert Escrow_WrongPayment(msg.value, deposit);
        bytes32 sampleId = _idOf(model, Sample(msg.sender, uint40(block.timestamp), deposit, label, words));
        if (_left[sampleId] != 0) revert PredictionGame_AlreadyAdded(sampleId);

        // Effect
        game.addedAt = uint40(block.timestamp);
        _left[sampleId] = deposit;
        _credit(msg.sender, COIN, msg.value - deposit);
        emit SampleAdded(address(model), msg.sender, deposit, words, label);

        // Interaction
        model.update(words, label);
    }

    /// @inheritdoc IPredictionGame
    function refund(IChainModel model, Sample calldata sample) external {
        // Check
        (Game storage game, bytes32 sampleId, uint256 left) = _load(model, sample);
        if (msg.sender != sample.author) revert PredictionGame_NotOwner(msg.sender);
        _checkWaited(sample, game.refundWait);
        // Others took a part: the model disagreed then.
        bool claimed = left != sample.deposit;
        if (claimed || model.predict(sample.words) != sample.label) revert PredictionGame_ModelDisagrees(sampleId);

        // Effect
        _left[sampleId] = 0;
        ++_good[address(model)][msg.sender];
        ++game.totalGood;
        emit SampleRefunded(address(model), sampleId);
        _credit(msg.sender, COIN, left);
    }

    /// @inheritdoc IPredictionGame
    function take(IChainModel model, Sample calldata sample) external returns (uint256 amount) {
        // Check
        (Game storage game, bytes32 sampleId, uint256 left) = _load(model, sample);
        bool all = block.timestamp > uint256(sample.addedAt) + game.anyWait
            || msg.sender == model.owner() && block.timestamp > uint256(sample.addedAt) + game.ownerWait;
        amount = left;
        if (!all) {
            amount = _shareOf(model, game, sample, sampleId);
            if (amount == 0 || amount > left) amount = left;
            _claimed[sampleId][msg.sender] = true;
        }

        // Effect
        _left[sampleId] = left - amount;
        emit SampleTaken(address(model), sampleId, msg.sender, amount);
        _credit(msg.sender, COIN, amount);
    }

    /// @inheritdoc IPredictionGame
    function costOf(IChainModel model) public view returns (uint256) {
        Game storage game = _games[address(model)];
        uint256 root = Math.sqrt(block.timestamp - game.addedAt);
        return uint256(game.weight) * 3600 / (root == 0 ? 1 : root);
    }

    /// @inheritdoc IPredictionGame
    function gameOf(IChainModel model) external view returns (Game memory) {
        return _games[address(model)];
    }

    /// @inheritdoc IPredictionGame
    function goodOf(IChainModel model, address account) external view returns (uint256) {
        return _good[address(model)][account];
    }

    /// @inheritdoc IPredictionGame
    function leftOf(IChainModel model, Sample calldata sample) external view returns (uint256) {
        return _left[_idOf(model, sample)];
    }

    /// @dev What an account with good rows gets of a deposit that the model disagrees with.
    function _shareOf(IChainModel model, Game storage game, Sample calldata sample, bytes32 sampleId)
        private
        view
        returns (uint256)
    {
        if (msg.sender == sample.author || _claimed[sampleId][msg.sender]) revert PredictionGame_NotOwner(msg.sender);
        _checkWaited(sample, game.refundWait);
        uint256 good = _good[address(model)][msg.sender];
        if (good == 0) revert PredictionGame_NoGoodRows(msg.sender);
        if (model.predict(sample.words) == sample.label) revert PredictionGame_ModelAgrees(sampleId);
        return sample.deposit * good / game.totalGood;
    }

    function _load(IChainModel model, Sample calldata sample)
        private
        view
        returns (Game storage game, bytes32 sampleId, uint256 left)
    {
        game = _games[address(model)];
        sampleId = _idOf(model, sample);
        left = _left[sampleId];
        if (left == 0) revert PredictionGame_NothingLeft(sampleId);
    }

    function _checkWaited(Sample calldata sample, uint256 wait) private view {
        uint256 until = uint256(sample.addedAt) + wait;
        if (block.timestamp <= until) revert PredictionGame_TooEarly(until);
    }

    function _idOf(IChainModel model, Sample memory sample) private pure returns (bytes32) {
        return keccak256(abi.encode(model, sample));
    }
    // ── Money

    /// @inheritdoc EscrowMoney
    /// @dev The game knows no registry: what an account wins is paid to itself.
    function _payeeFor(address account, address caller) internal pure override returns (address) {
        if (caller != account) revert PredictionGame_NotOwner(caller);
        return account;
    }

}
