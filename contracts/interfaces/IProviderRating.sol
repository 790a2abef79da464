// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IEscrowList} from "./IEscrowList.sol";
/// @notice The part an account played in a job.
enum Role {
    Provider,
    Validator,
    Requester
}

/// @notice How a job ended for one account, by cause.
enum Outcome {
    /// Delivered and confirmed (provider), or revealed in time (validator).
    Settled,
    /// Missed a deadline: the run or the claim (provider), the commitment (validator).
    Late,
    /// Its measurement was found wrong: by the verdict (provider), by an appeal panel (validator).
    Rejected,
    /// Gave the job back before submitting (provider); its job was given back (requester).
    Released,
    /// Abstained before committing (validator).
    Abstained,
    /// Committed to a measurement and did not reveal it.
    Hid,
    /// Delivered and confirmed, and short of what the job asked for (provider); its job was (requester).
    Unmet
}

/// @title Scores of accounts, and how their jobs ended
/// @notice Only escrows write, and only from final jobs. One packed slot for each account and role, so that writing
/// and reading cost the same however many ratings there are.
interface IProviderRating is IEscrowList {
    /// @notice Scores 1–5 (`sum / count` is the average) and outcome counters, for one account in one role.
    struct Rating {
        uint32 count;
        uint40 sum;
        uint24 settled;
        uint24 late;
        uint24 rejected;
        uint24 released;
        uint24 abstained;
        uint24 hid;
        uint24 unmet;
    }

    /// @notice Only an escrow may write.
    error ProviderRating_NotEscrow(address caller);
    /// @notice Scores are 1, 2, 3, 4 or 5.
    error ProviderRating_InvalidScore(uint8 score);

    /// @notice Counts one job that ended. Only an escrow; at most once for each account and job.
    function record(address account, Role role, Outcome outcome) external;

    /// @notice Adds one score of 1–5. Only an escrow, which checks that each side rates once.
    /// @dev Warning: a score cannot be changed or removed.
    function rate(address account, Role role, uint8 score) external;

    /// @notice Scores and counters of `account` in `role`; zeros for an unknown account.
    /// @dev Warning: an account costs nothing to create, so a good record of few jobs says little.
    function ratingOf(address account, Role role) external view returns (Rating memory);
}
