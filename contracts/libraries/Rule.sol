// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice How a validator measures; the order is that of `modes` in the client.
enum Mode {
    Evaluate,
    Replicate,
    Digest
}

/// @notice How a job is judged, in one word, lowest bits first: `Mode mode` (8), `uint8 validators` (8),
/// `uint64 tolerance` (64), `int64 threshold` (64); the rest is zero. Tolerance and threshold are fixed
/// point with nine decimals; a larger score is better.
type Rule is uint256;

using RuleLibrary for Rule global;

/// @notice Reads the fields of a {Rule}.
library RuleLibrary {
    uint256 internal constant BITS = 144;

    /// @notice True when the word has a known mode and no bits outside its fields.
    function isCanonical(Rule self) internal pure returns (bool) {
        uint256 word = Rule.unwrap(self);
        return word >> BITS == 0 && uint8(word) <= uint8(type(Mode).max);
    }

    function mode(Rule self) internal pure returns (Mode) {
        return Mode(uint8(Rule.unwrap(self)));
    }

    /// @notice Validators that the requester pays for; 0 is optimistic mode.
    function validators(Rule self) internal pure returns (uint8) {
        return uint8(Rule.unwrap(self) >> 8);
    }

    /// @notice Most that two honest measurements may differ by.
    function tolerance(Rule self) internal pure returns (uint64) {
        return uint64(Rule.unwrap(self) >> 16);
    }

    /// @notice Least score that passes.
    function threshold(Rule self) internal pure returns (int64) {
        return int64(uint64(Rule.unwrap(self) >> 80));
    }
}
