// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowMoney} from "../interfaces/IEscrowMoney.sol";
import {IChainModel} from "./IChainModel.sol";

/// @title Deposits that a model on the chain judges
/// @notice Deposit, refund, take, as in 0xDeCA10B: a row is added with a deposit and teaches the model at once. After a wait
/// its author gets the deposit back if the model still predicts its label. Of deposits that the model disagrees with,
/// accounts with refunded rows take shares; later the owner, and last anybody, take what is left. A second game beside the
/// verdicts of {IDataCampaign}, for models that are small enough for the chain. In the chain's coin.
/// @dev Warning: a model's code is its owner's. Look at it before adding a row; the three kinds beside this contract keep to
/// what they say.
interface IPredictionGame is IEscrowMoney {
    /// @param weight Deposit for a row an hour after the last one, times 60: the deposit is weight · 3600 / ⌊√s⌋, s seconds
    /// after it (√s at least 1); wei.
    /// @param refundWait Seconds before a refund, and before accounts with good rows take.
    /// @param ownerWait Seconds before the owner takes, at least `refundWait`.
    /// @param anyWait Seconds before anybody takes, at least `ownerWait`.
    /// @param addedAt When the last row was added; zero in the call that opens the game.
    /// @param totalGood Rows that were refunded; zero in the call that opens the game.
    struct Game {
        uint96 weight;
        uint24 refundWait;
        uint24 ownerWait;
        uint24 anyWait;
        uint40 addedAt;
        uint32 totalGood;
    }

    struct Sample {
        address author;
        uint40 addedAt;
        uint256 deposit;
        uint8 label;
        uint16[] words;
    }

    event GameOpened(address indexed model, Game game);
    event SampleAdded(address indexed model, address indexed author, uint256 deposit, uint16[] words, uint8 label);
    event SampleRefunded(address indexed model, bytes32 indexed sampleId);
    event SampleTaken(address indexed model, bytes32 indexed sampleId, address indexed account, uint256 amount);

    error PredictionGame_NotOwner(address account);
    error PredictionGame_InvalidTerms();
    error PredictionGame_AlreadyAdded(bytes32 sampleId);
    error PredictionGame_NothingLeft(bytes32 sampleId);
    error PredictionGame_ModelAgrees(bytes32 sampleId);
    error PredictionGame_ModelDisagrees(bytes32 sampleId);
    error PredictionGame_NoGoodRows(address account);
    error PredictionGame_TooEarly(uint256 until);

    /// @notice Opens the one game of a model that was handed over to this contract; its owner's.
    function open(IChainModel model, Game calldata game) external;

    /// @notice Adds a row and teaches the model. What was sent above {costOf} is credited to the caller.
    function add(IChainModel model, uint16[] calldata words, uint8 label) external payable;

    /// @notice Credits the deposit to the row's author, who is the caller: the model predicts its label.
    function refund(IChainModel model, Sample calldata sample) external;

    /// @notice Credits to the caller what it may have of a deposit: deposit · its good rows / all good rows, once, where the
    /// model disagrees (all that is left where that is nothing or more); all that is left to the owner and to anybody
    /// after their waits.
    function take(IChainModel model, Sample calldata sample) external returns (uint256 amount);

    /// @notice The deposit for a row that is added now, wei.
    function costOf(IChainModel model) external view returns (uint256);

    function gameOf(IChainModel model) external view returns (Game memory);

    /// @notice Rows of an account that were refunded.
    function goodOf(IChainModel model, address account) external view returns (uint256);

    /// @notice What is left of a row's deposit, wei.
    function leftOf(IChainModel model, Sample calldata sample) external view returns (uint256);
}
