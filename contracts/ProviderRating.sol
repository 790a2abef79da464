// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowList} from "./escrow/EscrowList.sol";
import {IProviderRating, Outcome, Role} from "./interfaces/IProviderRating.sol";

/// @title Scores of accounts, and how their jobs ended; see {IProviderRating}
/// @dev Calls no contract.
contract ProviderRating is IProviderRating, EscrowList {
    mapping(address account => mapping(Role role => Rating)) private _ratings;

    /// @dev The check of both writing calls.
    modifier onlyEscrow() {
        if (!isEscrow(msg.sender)) revert ProviderRating_NotEscrow(msg.sender);
        _;
    }

    constructor(address[] memory escrows) EscrowList(escrows) {}

    /// @inheritdoc IProviderRating
    function record(address account, Role role, Outcome outcome) external onlyEscrow {
        // Effect
        Rating storage rating = _ratings[account][role];
        if (outcome == Outcome.Settled) ++rating.settled;
        else if (outcome == Outcome.Late) ++rating.late;
        else if (outcome == Outcome.Rejected) ++rating.rejected;
        else if (outcome == Outcome.Released) ++rating.released;
        else if (outcome == Outcome.Abstained) ++rating.abstained;
        else if (outcome == Outcome.Hid) ++rating.hid;
        else ++rating.unmet;
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
