// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChainModel} from "./IChainModel.sol";

/// @notice Who loads and who updates a model, and which rows it takes.
abstract contract ChainModel is IChainModel {
    uint256 private constant MAX_WORDS = 64;

    /// @inheritdoc IChainModel
    address public immutable owner;
    /// @inheritdoc IChainModel
    uint256 public immutable size;
    /// @inheritdoc IChainModel
    address public keeper;

    constructor(uint16 size_) {
        (owner, size) = (msg.sender, size_);
    }

    /// @dev A check of calls before the model is handed over.
    modifier onlyLoading() {
        if (msg.sender != owner || keeper != address(0)) revert ChainModel_NotKeeper(msg.sender);
        _;
    }

    /// @inheritdoc IChainModel
    function handOver(address to) external onlyLoading {
        // Effect
        keeper = to;
        emit HandedOver(to);
    }

    /// @inheritdoc IChainModel
    function update(uint16[] calldata words, uint8 label) external {
        // Check
        if (msg.sender != keeper) revert ChainModel_NotKeeper(msg.sender);
        if (label > 1) revert ChainModel_WrongLabel(label);
        _checkWords(words);

        // Effect
        _update(words, label);
        emit Updated(label);
    }

    /// @inheritdoc IChainModel
    function predict(uint16[] calldata words) external view returns (uint8) {
        _checkWords(words);
        return _predict(words);
    }

    function _update(uint16[] calldata words, uint8 label) internal virtual;

    function _predict(uint16[] calldata words) internal view virtual returns (uint8);

    function _checkWords(uint16[] calldata words) private view {
        uint256 count = words.length;
        if (count == 0 || count > MAX_WORDS || words[count - 1] >= size) revert ChainModel_WrongWords();
        for (uint256 i = 1; i < count; ++i) {
            if (words[i] <= words[i - 1]) revert ChainModel_WrongWords();
        }
    }
}
