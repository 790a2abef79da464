// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {State} from "../interfaces/IJobEscrow.sol";

/// @notice A job as stored: one word, because a struct that the compiler packs costs a thousand gas more a
/// call and would leave no room for the submission. Lowest bits first: state 4; clock 40 (the seed's block while
/// seats are to be drawn, else the deadline); counters of 4; occupied 8; flags; submission 168 at the top.
///
/// Counters fit: a round has at most 7 seats, a job 7 + 7 + 3 + 3. None goes below zero, since each step that
/// takes one away has seen the seat that put it there.
type Record is uint256;

using RecordLibrary for Record global;

/// @dev A counter or a flag, by its lowest bit.
uint256 constant SEATS = 1 << 44;
uint256 constant PENDING = 1 << 48;
uint256 constant VACANT = 1 << 52;
uint256 constant TO_DRAW = 1 << 56;
uint256 constant REVEALED = 1 << 60;
uint256 constant PASSES = 1 << 64;
uint256 constant FAILS = 1 << 68;
uint256 constant OCCUPIED = 1 << 72;
uint256 constant DISCLOSED = 1 << 80;
uint256 constant REPLACED = 1 << 81;
uint256 constant CHALLENGED = 1 << 82;
uint256 constant APPEALED = 1 << 83;
uint256 constant REQUESTER_RATED = 1 << 84;
uint256 constant PROVIDER_RATED = 1 << 85;

/// @notice Reads and changes the fields of a {Record}. Changes return the changed copy.
library RecordLibrary {
    uint256 private constant STATE_MASK = 15;
    uint256 private constant CLOCK_MASK = uint256(type(uint40).max) << 4;
    /// Seats, pending, vacant, to draw, revealed, passes, fails.
    uint256 private constant ROUND_MASK = ((1 << 28) - 1) << 44;

    function state(Record self) internal pure returns (State) {
        return State(Record.unwrap(self) & STATE_MASK);
    }

    /// @notice The deadline, or the seed's block while seats are to be drawn.
    function clock(Record self) internal pure returns (uint40) {
        return uint40(Record.unwrap(self) >> 4);
    }

    /// @notice The value of a counter of 4 bits.
    function count(Record self, uint256 counter) internal pure returns (uint8) {
        return uint8((Record.unwrap(self) / counter) & 15);
    }

    /// @notice Seats ever given: what a closing panel must list.
    function occupied(Record self) internal pure returns (uint8) {
        return uint8(Record.unwrap(self) / OCCUPIED);
    }

    function has(Record self, uint256 flag) internal pure returns (bool) {
        return Record.unwrap(self) & flag != 0;
    }

    function submission(Record self) internal pure returns (bytes21) {
        return bytes21(bytes32(Record.unwrap(self)));
    }

    function to(Record self, State next) internal pure returns (Record) {
        return Record.wrap((Record.unwrap(self) & ~STATE_MASK) | uint256(next));
    }

    function until(Record self, uint256 time) internal pure returns (Record) {
        return Record.wrap((Record.unwrap(self) & ~CLOCK_MASK) | (uint256(uint40(time)) << 4));
    }

    /// @notice Sets a flag.
    function with(Record self, uint256 flag) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) | flag);
    }

    /// @notice Counts `units`, a sum of counters, one up each.
    function plus(Record self, uint256 units) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) + units);
    }

    /// @notice Counts `units`, a sum of counters, one down each.
    function minus(Record self, uint256 units) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) - units);
    }

    /// @notice Sets a counter that is zero.
    function fill(Record self, uint256 counter, uint8 value) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) | (uint256(value) * counter));
    }

    /// @notice Sets a counter to zero.
    function clear(Record self, uint256 counter) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) & ~(counter * 15));
    }

    /// @notice Forgets the round, so that another can begin; the seats stay occupied.
    function anew(Record self) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) & ~(ROUND_MASK | DISCLOSED | REPLACED));
    }

    function withSubmission(Record self, bytes21 hash) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) | uint256(bytes32(hash)));
    }
}
