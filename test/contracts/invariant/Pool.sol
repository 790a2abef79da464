// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Job} from "../support/JobView.sol";
import {Dues} from "./Dues.sol";

/// @notice Invariant 8: whom a draw could pick was settled before anybody could know both of its seeds.
abstract contract Pool is Dues {
    /// An account came into the pool, or left it.
    struct Change {
        uint256 time;
        bool member;
    }

    mapping(address account => Change[]) private _changes;
    /// When the present phase of a job began: a state, or seats that were given.
    mapping(bytes32 jobId => uint256) private _begun;
    /// When the phase began that ended with the draw which is under way.
    mapping(bytes32 jobId => uint256) private _drawnAsOf;
    mapping(bytes32 jobId => uint8) private _occupied;
    mapping(bytes32 jobId => bool) private _drawing;
    mapping(bytes32 jobId => mapping(address validator => bool)) private _seated;

    /// @dev Compares who is in the pool with who was.
    function notePool() internal {
        for (uint256 i = 0; i < crowd.length; ++i) {
            Change[] storage changes = _changes[crowd[i]];
            bool member = registry.offerOf(crowd[i]).pooled;
            if (changes.length != 0 && changes[changes.length - 1].member == member) continue;
            changes.push(Change(vm.getBlockTimestamp(), member));
        }
    }

    /// @dev Follows a job's phases. False when the call `name` seated somebody whom no draw could have picked.
    function noteDraw(bytes32 id, Job memory job, bool moved, bytes4 name) internal returns (bool fair) {
        fair = true;
        if (job.toDraw != 0 && !_drawing[id]) _drawnAsOf[id] = _begun[id];
        bool seated = job.occupied != _occupied[id];
        if (seated) {
            uint256 asOf = _drawing[id] ? _drawnAsOf[id] : _begun[id];
            for (uint256 i = 0; i < crowd.length; ++i) {
                if (_seated[id][crowd[i]] || escrow.seatOf(id, crowd[i]) == SeatStatus.None) continue;
                _seated[id][crowd[i]] = true;
                seatedIn[id][crowd[i]] = job.round;
                if (name == IJobEscrow.draw.selector && !_wasMember(crowd[i], asOf)) fair = false;
            }
            _occupied[id] = job.occupied;
        }
        _drawing[id] = job.toDraw != 0;
        if (moved || seated) _begun[id] = vm.getBlockTimestamp();
    }

    /// @dev Whether `who` was in the pool when second `time` ended.
    function _wasMember(address who, uint256 time) private view returns (bool) {
        Change[] storage changes = _changes[who];
        for (uint256 i = changes.length; i > 0; --i) {
            if (changes[i - 1].time <= time) return changes[i - 1].member;
        }
        return changes.length == 0;
    }
}
