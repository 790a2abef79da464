// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SeatStatus, State} from "../../../contracts/interfaces/IJob.sol";
import {Job} from "../support/JobView.sol";
import {Dues} from "./Dues.sol";

/// @notice Invariant 8: the members that a draw could pick were settled before any account could know both its seeds.
abstract contract Pool is Dues {
    /// An account joined the pool, or left it.
    struct Change {
        uint256 time;
        bool member;
    }

    mapping(address account => Change[]) private _changes;
    /// When the present phase of a job began: with a new state, or with seats that were given.
    mapping(bytes32 jobId => uint256) private _begun;
    /// When the phase began that ended with the scheduled draw.
    mapping(bytes32 jobId => uint256) private _drawnAsOf;
    mapping(bytes32 jobId => uint8) private _occupied;
    mapping(bytes32 jobId => bool) private _drawing;
    mapping(bytes32 jobId => mapping(address validator => bool)) private _seated;

    /// @dev Notes the accounts that joined or left the pool since the last call.
    function notePool() internal {
        for (uint256 i = 0; i < accounts.length; ++i) {
            Change[] storage changes = _changes[accounts[i]];
            bool member = registry.offerOf(accounts[i]).pooled;
            if (changes.length != 0 && changes[changes.length - 1].member == member) continue;
            changes.push(Change(vm.getBlockTimestamp(), member));
        }
    }

    /// @dev Follows a job's phases. False when the call `name` seated an account that was not in the pool as it must be
    /// taken.
    function noteDraw(bytes32 id, Job memory job, bool moved, bytes4 name) internal returns (bool fair) {
        fair = true;
        if (job.toDraw != 0 && !_drawing[id]) _drawnAsOf[id] = _begun[id];
        bool seated = job.occupied != _occupied[id];
        if (seated) {
            uint256 asOf = _drawing[id] ? _drawnAsOf[id] : _begun[id];
            for (uint256 i = 0; i < accounts.length; ++i) {
                if (_seated[id][accounts[i]] || escrow.seatOf(id, accounts[i]) == SeatStatus.None) continue;
                _seated[id][accounts[i]] = true;
                seatedIn[id][accounts[i]] = job.round;
                if (name == escrow.draw.selector && !_wasMember(accounts[i], asOf)) fair = false;
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
