// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice By when each step of a job must happen, in one word, lowest bits first: `uint40 acceptBy` (an
/// instant, Unix seconds), then seven windows of 24 bits (seconds from the step before, at most 194 days):
/// run, appoint, commit, reveal, claim, challenge, appeal; the rest is zero.
type Schedule is uint256;

/// @dev The least window of each step, seconds. An honest party cannot keep shorter ones on a chain with blocks
/// of twelve seconds when it waits for twelve confirmations; clients ask for more where their chain is slower.
uint24 constant MIN_RUN = 60;
uint24 constant MIN_APPOINT = 300;
uint24 constant MIN_COMMIT = 300;
uint24 constant MIN_REVEAL = 300;
uint24 constant MIN_CLAIM = 300;
uint24 constant MIN_CHALLENGE = 300;
uint24 constant MIN_APPEAL = 300;

using ScheduleLibrary for Schedule global;

/// @notice Reads the fields of a {Schedule}.
library ScheduleLibrary {
    uint256 internal constant BITS = 208;

    /// @notice True when the word has no bits outside its fields and every window is at least its floor.
    function isCanonical(Schedule self) internal pure returns (bool) {
        return Schedule.unwrap(self) >> BITS == 0 && run(self) >= MIN_RUN && appoint(self) >= MIN_APPOINT
            && commit(self) >= MIN_COMMIT && reveal(self) >= MIN_REVEAL && claim(self) >= MIN_CLAIM
            && challenge(self) >= MIN_CHALLENGE && appeal(self) >= MIN_APPEAL;
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
