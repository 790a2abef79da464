// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice How a validator measures; the order is that of `modes` in the client.
enum Mode {
    Evaluate,
    Replicate,
    Digest,
    Exam
}

/// @dev Shares are parts of this.
uint256 constant WHOLE = 10_000;

/// @notice How a job is judged, in one word, lowest bits first: `Mode mode` (8), `uint8 validators` (8),
/// `uint64 tolerance` (64), `int64 threshold` (64), `uint16 effort` (16), `uint16 stopFloor` (16), `uint16 stopCap`
/// (16); the rest is zero. Tolerance and threshold are fixed point with nine decimals; a larger score is better. The
/// last three are parts of the price, in 1/10,000.
type Rule is uint256;

using RuleLibrary for Rule global;

/// @notice Reads the fields of a {Rule}.
library RuleLibrary {
    uint256 internal constant BITS = 192;

    /// @notice True when the word has a known mode, shares that are shares, and no bits outside its fields. An exam
    /// needs a validator: the provider does not have it.
    function isCanonical(Rule self) internal pure returns (bool) {
        uint256 word = Rule.unwrap(self);
        if (word >> BITS != 0 || uint8(word) > uint8(type(Mode).max)) return false;
        if (mode(self) == Mode.Exam && validators(self) == 0) return false;
        return effort(self) <= WHOLE && stopFloor(self) <= stopCap(self) && stopCap(self) <= WHOLE;
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

    /// @notice The provider's share of the price when its work is confirmed but does not reach the threshold.
    function effort(Rule self) internal pure returns (uint256) {
        return uint16(Rule.unwrap(self) >> 144);
    }

    /// @notice The provider's least share of the price when the requester stops the job.
    function stopFloor(Rule self) internal pure returns (uint256) {
        return uint16(Rule.unwrap(self) >> 160);
    }

    /// @notice The provider's greatest share of the price when the requester stops the job.
    function stopCap(Rule self) internal pure returns (uint256) {
        return uint16(Rule.unwrap(self) >> 176);
    }
}
