// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChainModel} from "./ChainModel.sol";

/// @title A perceptron over binary features
/// @notice Weights are fixed point with 9 decimals, four to a slot. A row that is predicted wrong moves the bias and the
/// weights of its words by the rate. As in 0xDeCA10B's `SparsePerceptron`.
contract SparsePerceptron is ChainModel {
    uint256 private constant LANES = 4;
    int64 private immutable RATE;

    int64 private _bias;
    mapping(uint256 word => uint256) private _slots;

    /// @param rate What an update adds or takes, 1e-9.
    constructor(uint16 size_, int64 bias, int64 rate) ChainModel(size_) {
        _bias = bias;
        RATE = rate;
    }

    /// @notice Sets weights, four a slot, the lowest first in the lowest 64 bits, from slot `from` on.
    function load(uint256 from, uint256[] calldata slots) external onlyLoading {
        // Effect
        for (uint256 i = 0; i < slots.length; ++i) {
            _slots[from + i] = slots[i];
        }
    }

    /// @notice A word's weight, 1e-9.
    function weightOf(uint16 word) public view returns (int64) {
        return int64(uint64(_slots[word / LANES] >> (word % LANES * 64)));
    }

    function _update(uint16[] calldata words, uint8 label) internal override {
        if (_predict(words) == label) return;
        int64 change = label == 1 ? RATE : -RATE;
        _bias += change;
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 shift = words[i] % LANES * 64;
            uint256 slot = _slots[words[i] / LANES];
            uint64 weight = uint64(int64(uint64(slot >> shift)) + change);
            _slots[words[i] / LANES] = (slot & ~(uint256(type(uint64).max) << shift)) | (uint256(weight) << shift);
        }
    }

    function _predict(uint16[] calldata words) internal view override returns (uint8) {
        int256 sum = _bias;
        for (uint256 i = 0; i < words.length; ++i) {
            sum += weightOf(words[i]);
        }
        return sum > 0 ? 1 : 0;
    }
}
