// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Round, State} from "../interfaces/IJob.sol";

/// @notice A job as stored: one word, because a struct that the compiler packs costs a thousand gas more a call and
/// leaves no room for the submission. Lowest bits first: state 4; deadline 40; counters of 4;
/// occupied 8; flags; draws 4; round 2; submission 160 at the top.
///
/// Counters fit: a round has at most 7 seats at a time, a job at most 7 + 7 + 3 + 3 + 3 + 3 in all, and six draws. None
/// falls below zero, because each call that counts a seat down has checked the status of a seat that was counted up.
type Record is uint256;

using RecordLibrary for Record global;

// Counters of four bits and flags, by their lowest bit.

/// @dev Seats of the present round whose validators have not left.
uint256 constant SEATS = 1 << 44;
/// @dev Those of them that have yet to commit; measurements are revealed once there are none.
uint256 constant PENDING = 1 << 48;
/// @dev Seats whose validators have left; a draw refills them once a round, when none is pending.
uint256 constant VACANT = 1 << 52;
/// @dev Seats that {IJobEscrow-draw} fills next.
uint256 constant TO_DRAW = 1 << 56;
/// @dev Validators of this round that have revealed.
uint256 constant REVEALED = 1 << 60;
uint256 constant PASSES = 1 << 64;
uint256 constant FAILS = 1 << 68;
/// @dev Seats ever given, in all rounds, in eight bits: as many as the panel of a closing call must list.
uint256 constant OCCUPIED = 1 << 72;
/// @dev The provider's measurement is known in this round.
uint256 constant DISCLOSED = 1 << 80;
/// @dev Vacant seats were refilled in this round, or their draw is scheduled.
uint256 constant REPLACED = 1 << 81;
uint256 constant CHALLENGED = 1 << 82;
uint256 constant APPEALED = 1 << 83;
uint256 constant REQUESTER_RATED = 1 << 84;
uint256 constant PROVIDER_RATED = 1 << 85;
/// @dev The requester's seed for the scheduled draw is known.
uint256 constant SEEDED = 1 << 86;
/// @dev A seat of the present round was drawn without the requester's seed.
uint256 constant ONE_SIDED = 1 << 87;
/// @dev Draws ever scheduled; the seeds of draw `n` are the `n`-th of their chains.
uint256 constant DRAWS = 1 << 88;
/// @dev The requester appointed validators of its own choice.
uint256 constant NAMED = 1 << 94;
/// @dev The verdict of the present round is {Verdict-Unmet}; the state is Rejected.
uint256 constant UNMET = 1 << 95;

/// @notice Reads and changes the fields of a {Record}. Changes return the changed copy.
library RecordLibrary {
    uint256 private constant STATE_MASK = 15;
    uint256 private constant DEADLINE_MASK = uint256(type(uint40).max) << 4;
    /// Seats, pending, vacant, to draw, revealed, passes, fails.
    uint256 private constant COUNTERS_MASK = ((1 << 28) - 1) << 44;
    uint256 private constant ROUND_SHIFT = 92;
    uint256 private constant ROUND_MASK = 3 << ROUND_SHIFT;

    function state(Record self) internal pure returns (State) {
        return State(Record.unwrap(self) & STATE_MASK);
    }

    /// @notice Last second of the present step, Unix seconds.
    function deadline(Record self) internal pure returns (uint40) {
        return uint40(Record.unwrap(self) >> 4);
    }

    /// @notice The value of a counter of 4 bits.
    function count(Record self, uint256 counter) internal pure returns (uint8) {
        return uint8((Record.unwrap(self) / counter) & 15);
    }

    /// @notice Seats ever given, in all rounds.
    function occupied(Record self) internal pure returns (uint8) {
        return uint8(Record.unwrap(self) / OCCUPIED);
    }

    function has(Record self, uint256 flag) internal pure returns (bool) {
        return Record.unwrap(self) & flag != 0;
    }

    /// @notice Draws ever scheduled.
    function draws(Record self) internal pure returns (uint8) {
        return uint8((Record.unwrap(self) / DRAWS) & 15);
    }

    function round(Record self) internal pure returns (Round) {
        return Round((Record.unwrap(self) & ROUND_MASK) >> ROUND_SHIFT);
    }

    function submission(Record self) internal pure returns (bytes20) {
        return bytes20(bytes32(Record.unwrap(self)));
    }

    function to(Record self, State next) internal pure returns (Record) {
        return Record.wrap((Record.unwrap(self) & ~STATE_MASK) | uint256(next));
    }

    function until(Record self, uint256 time) internal pure returns (Record) {
        return Record.wrap((Record.unwrap(self) & ~DEADLINE_MASK) | (uint256(uint40(time)) << 4));
    }

    /// @notice Sets a flag.
    function with(Record self, uint256 flag) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) | flag);
    }

    /// @notice Adds one to each counter of which `units` is the sum.
    /// @dev Warning: a counter that is full carries into its neighbour; see above for why none gets there.
    function plus(Record self, uint256 units) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) + units);
    }

    /// @notice Takes one from each counter of which `units` is the sum.
    /// @dev Warning: a counter that is zero borrows from its neighbour.
    function minus(Record self, uint256 units) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) - units);
    }

    /// @notice Sets a counter that is zero.
    /// @dev Warning: in a counter that is not, the bits of both values mix.
    function fill(Record self, uint256 counter, uint8 value) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) | (uint256(value) * counter));
    }

    /// @notice Sets a counter to zero.
    function clear(Record self, uint256 counter) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) & ~(counter * 15));
    }

    /// @notice Clears a flag.
    function without(Record self, uint256 flag) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) & ~flag);
    }

    /// @notice Begins another round, without seats or votes; {occupied} still counts the seats of earlier ones.
    function begin(Record self, Round next) internal pure returns (Record) {
        uint256 ended = COUNTERS_MASK | ROUND_MASK | DISCLOSED | REPLACED | ONE_SIDED | UNMET;
        return Record.wrap((Record.unwrap(self) & ~ended) | (uint256(next) << ROUND_SHIFT));
    }

    /// @notice Sets the submission, once a job: it must be zero before.
    function withSubmission(Record self, bytes20 hash) internal pure returns (Record) {
        return Record.wrap(Record.unwrap(self) | uint256(bytes32(hash)));
    }
}
