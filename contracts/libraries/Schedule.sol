// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice By when each step of a job must happen, in one word, lowest bits first: `uint40 acceptBy` (an
/// instant, Unix seconds), then seven windows of 24 bits (seconds from the step before, at most 194 days):
/// run, appoint, commit, reveal, claim, challenge, appeal; the rest is zero.
type Schedule is uint256;

using ScheduleLibrary for Schedule global;

/// @notice Reads the fields of a {Schedule}.
library ScheduleLibrary {
    uint256 internal constant BITS = 208;

    /// @notice True when the word carries nothing beyond its fields and leaves time for every step that
    /// somebody must take (run, appoint, commit, reveal, claim).
    function isCanonical(Schedule self) internal pure returns (bool) {
        return Schedule.unwrap(self) >> BITS == 0 && run(self) != 0 && appoint(self) != 0 && commit(self) != 0
            && reveal(self) != 0 && claim(self) != 0;
    }

    function acceptBy(Schedule self) internal pure returns (uint40) {
        return uint40(Schedule.unwrap(self));
    }

    function run(Schedule self) internal pure returns (uint24) {
        return uint24(Schedule.unwrap(self) >> 40);
    }

    function appoint(Schedule self) internal pure returns (uint24) {
        return uint24(Schedule.unwrap(self) >> 64);
    }

    function commit(Schedule self) internal pure returns (uint24) {
        return uint24(Schedule.unwrap(self) >> 88);
    }

    function reveal(Schedule self) internal pure returns (uint24) {
        return uint24(Schedule.unwrap(self) >> 112);
    }

    function claim(Schedule self) internal pure returns (uint24) {
        return uint24(Schedule.unwrap(self) >> 136);
    }

    function challenge(Schedule self) internal pure returns (uint24) {
        return uint24(Schedule.unwrap(self) >> 160);
    }

    function appeal(Schedule self) internal pure returns (uint24) {
        return uint24(Schedule.unwrap(self) >> 184);
    }
}
