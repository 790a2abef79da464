// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChainModel} from "./ChainModel.sol";

/// @title The class whose mean row is nearer
/// @notice A class is the number of its rows and, for each word, in how many of them it is. The squared distance of a row
/// x to the mean s / n is (|s|² − 2n·Σ s) / n² + |x|, sums over the row's words; |s|² is kept up to date, and the two sides are
/// compared without a division.
contract NearestCentroid is ChainModel {
    struct Class {
        uint64 rows;
        uint128 squares;
    }

    uint256 private constant BITS = 64;

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
        (uint256 zero, uint256 one) = (0, 0);
        for (uint256 i = 0; i < counts.length; ++i) {
            (uint256 a, uint256 b) = (_countOf(counts[i], 0), _countOf(counts[i], 1));
            (zero, one) = (zero + a * a, one + b * b);
            _counts[from + i] = counts[i];
        }
        _classes[0].squares += uint128(zero);
        _classes[1].squares += uint128(one);
    }

    function _update(uint16[] calldata words, uint8 label) internal override {
        uint256 added = 0;
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 counts = _counts[words[i]];
            added += 2 * _countOf(counts, label) + 1; // (s + 1)² − s²
            _counts[words[i]] = counts + (1 << (label * BITS));
        }
        Class memory class = _classes[label];
        _classes[label] = Class(class.rows + 1, class.squares + uint128(added));
    }

    function _predict(uint16[] calldata words) internal view override returns (uint8) {
        (Class memory zero, Class memory one) = (_classes[0], _classes[1]);
        if (one.rows == 0) return 0;
        if (zero.rows == 0) return 1;
        (uint256 inZero, uint256 inOne) = (0, 0);
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 counts = _counts[words[i]];
            (inZero, inOne) = (inZero + _countOf(counts, 0), inOne + _countOf(counts, 1));
        }
        int256 toZero = _distanceOf(zero, inZero) * int256(uint256(one.rows) ** 2);
        int256 toOne = _distanceOf(one, inOne) * int256(uint256(zero.rows) ** 2);
        return toOne < toZero ? 1 : 0;
    }

    /// @dev Times the square of the class's rows, without |x|, which both have.
    function _distanceOf(Class memory class, uint256 sum) private pure returns (int256) {
        return int256(uint256(class.squares)) - int256(2 * uint256(class.rows) * sum);
    }

    function _countOf(uint256 counts, uint256 label) private pure returns (uint256) {
        return uint64(counts >> (label * BITS));
    }
}
