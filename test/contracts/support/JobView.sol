// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Round, State} from "../../../contracts/interfaces/IJob.sol";
import {
    APPEALED,
    CHALLENGED,
    DISCLOSED,
    FAILS,
    NAMED,
    ONE_SIDED,
    PASSES,
    PENDING,
    REVEALED,
    Record,
    SEATS,
    SEEDED,
    TO_DRAW,
    UNMET
} from "../../../contracts/libraries/Record.sol";

/// @notice The fields of a job's record, see {IJobEscrow-recordOf}.
struct Job {
    State state;
    Round round;
    uint256 deadline;
    uint8 seats;
    uint8 pending;
    uint8 toDraw;
    uint8 revealed;
    uint8 passes;
    uint8 fails;
    uint8 occupied;
    uint8 draws;
    bool disclosed;
    bool challenged;
    bool appealed;
    bool seeded;
    bool oneSided;
    bool named;
    bool unmet;
}

/// @notice Decodes records for tests.
library JobView {
    function open(Record record) internal pure returns (Job memory job) {
        job.state = record.state();
        job.round = record.round();
        job.deadline = record.deadline();
        job.seats = record.count(SEATS);
        job.pending = record.count(PENDING);
        job.toDraw = record.count(TO_DRAW);
        job.revealed = record.count(REVEALED);
        job.passes = record.count(PASSES);
        job.fails = record.count(FAILS);
        job.occupied = record.occupied();
        job.draws = record.draws();
        job.disclosed = record.has(DISCLOSED);
        job.challenged = record.has(CHALLENGED);
        job.appealed = record.has(APPEALED);
        job.seeded = record.has(SEEDED);
        job.oneSided = record.has(ONE_SIDED);
        job.named = record.has(NAMED);
        job.unmet = record.has(UNMET);
    }
}
