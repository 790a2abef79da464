// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IProviderRating, Outcome, Role} from "./interfaces/IProviderRating.sol";

/// @title Scores of accounts, and how their jobs ended; see {IProviderRating}
/// @dev Calls no contract.
contract ProviderRating is IProviderRating {
    /// @inheritdoc IProviderRating
    address public immutable escrow;

    mapping(address account => mapping(Role role => Rating)) private _ratings;

    /// @dev The check of both writing calls.
    modifier onlyEscrow() {
        if (msg.sender != escrow) revert ProviderRating_NotEscrow(msg.sender);
        _;
    }

    constructor() {
        escrow = msg.sender;
    }

    /// @inheritdoc IProviderRating
    function record(address account, Role role, Outcome outcome) external onlyEscrow {
        // Effect
        Rating storage rating = _ratings[account][role];
        if (outcome == Outcome.Settled) ++rating.settled;
        else if (outcome == Outcome.Late) ++rating.late;
        else if (outcome == Outcome.Rejected) ++rating.rejected;
        else if (outcome == Outcome.Released) ++rating.released;
        else if (outcome == Outcome.Abstained) ++rating.abstained;
        else ++rating.hid;
    }

    /// @inheritdoc IProviderRating
    function rate(address account, Role role, uint8 score) external onlyEscrow {
        // Check
        if (score == 0 || score > 5) revert ProviderRating_InvalidScore(score);

        // Effect
        Rating storage rating = _ratings[account][role];
        ++rating.count;
        rating.sum += score;
    }

    /// @inheritdoc IProviderRating
    function ratingOf(address account, Role role) external view returns (Rating memory) {
        return _ratings[account][role];
    }
}
