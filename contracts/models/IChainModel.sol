// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title A model of two classes that the chain holds
/// @notice Rows are the words of a vocabulary that occur in a text, as ascending numbers. Everything is computed in whole
/// numbers, so that a prediction outside the chain (`src/protocol/campaign/models`) is the same bit for bit.
///
/// The owner loads the model, then hands it over, once, to the contract that updates it from then on.
interface IChainModel {
    event HandedOver(address indexed keeper);
    event Updated(uint8 label);

    error ChainModel_NotKeeper(address account);
    error ChainModel_WrongLabel(uint8 label);
    /// @notice No words, more than 64, not ascending, or outside the vocabulary.
    error ChainModel_WrongWords();

    /// @notice Teaches the model one row; the keeper's alone, after it was handed over.
    function update(uint16[] calldata words, uint8 label) external;

    /// @notice Makes `to` the keeper for good; the owner's alone, once.
    function handOver(address to) external;

    /// @return label 0 or 1; 0 where neither is nearer.
    function predict(uint16[] calldata words) external view returns (uint8 label);

    function owner() external view returns (address);

    /// @notice Who updates the model; zero until it is handed over.
    function keeper() external view returns (address);

    /// @notice Words of the vocabulary.
    function size() external view returns (uint256);
}
