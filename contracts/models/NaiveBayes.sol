// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChainModel} from "./ChainModel.sol";

/// @title Multinomial naive Bayes, smoothed by one
/// @notice A class's score is log(rows + 1) + Σ (log(count + 1) − log(total + size)) over the row's words, in binary
/// logarithms with 32 binary digits, rounded down.
contract NaiveBayes is ChainModel {
    struct Class {
        uint64 rows;
        /// Words in all rows of the class.
        uint64 total;
    }

    uint256 private constant BITS = 64;
    uint256 private constant DIGITS = 32;

    Class[2] private _classes;
    /// Of each word: in how many rows of class 0 (low 64 bits) and of class 1 it is.
    mapping(uint256 word => uint256) private _counts;

    constructor(uint16 size_) ChainModel(size_) {}

    /// @notice Sets the rows of both classes; {load} counts what is in them.
    function loadRows(uint64[2] calldata rows) external onlyLoading {
        // Effect
        (_classes[0].rows, _classes[1].rows) = (rows[0], rows[1]);
    }

    /// @notice Sets counts of words that were not loaded before, from word `from` on: class 0 in the low 64 bits.
    function load(uint256 from, uint256[] calldata counts) external onlyLoading {
        // Effect
        (uint64 zero, uint64 one) = (_classes[0].total, _classes[1].total);
        for (uint256 i = 0; i < counts.length; ++i) {
            (zero, one) = (zero + uint64(counts[i]), one + uint64(counts[i] >> BITS));
            _counts[from + i] = counts[i];
        }
        (_classes[0].total, _classes[1].total) = (zero, one);
    }

    function _update(uint16[] calldata words, uint8 label) internal override {
        for (uint256 i = 0; i < words.length; ++i) {
            _counts[words[i]] += 1 << (label * BITS);
        }
        Class memory class = _classes[label];
        _classes[label] = Class(class.rows + 1, class.total + uint64(words.length));
    }

    function _predict(uint16[] calldata words) internal view override returns (uint8) {
        (Class memory zero, Class memory one) = (_classes[0], _classes[1]);
        (uint256 forZero, uint256 forOne) = (_log2(uint256(zero.rows) + 1), _log2(uint256(one.rows) + 1));
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 counts = _counts[words[i]];
            forZero += _log2(uint256(uint64(counts)) + 1);
            forOne += _log2(uint256(uint64(counts >> BITS)) + 1);
        }
        // What each side would subtract is added to the other.
        forZero += words.length * _log2(one.total + size);
        forOne += words.length * _log2(zero.total + size);
        return forOne > forZero ? 1 : 0;
    }

    /// @dev The binary logarithm of `x`, 1 to 2^65, times 2^32: the whole part by the highest bit, each further digit by
    /// squaring.
    function _log2(uint256 x) private pure returns (uint256 result) {
        // No step overflows: `y` is below 2^128.
        unchecked {
            uint256 high = 0;
            for (uint256 step = 64; step != 0; step >>= 1) {
                if (x >> (high + step) != 0) high += step;
            }
            result = high;
            uint256 y = x << (127 - high);
            for (uint256 i = 0; i < DIGITS; ++i) {
                y = (y * y) >> 127;
                uint256 digit = y >> 128;
                y >>= digit;
                result = (result << 1) | digit;
            }
        }
    }
}
