// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Verdict} from "../interfaces/IJob.sol";
import {Mode, Rule} from "./Rule.sol";

/// @dev The digest in the measurement of a run that ended without outputs. No outputs have it.
bytes32 constant FAILED_RUN = keccak256("ichain.failed-run");

/// @notice What one validator found.
enum Vote {
    /// Something else than the provider.
    Fail,
    /// The same as the provider, and it reaches the threshold.
    Pass,
    /// The same as the provider, and it does not reach the threshold, or there is no result.
    Unmet
}

/// @notice The rule by which measurements become votes, and votes a verdict. Arithmetic only.
library Judgement {
    /// @notice A validator's vote. Its score is compared with the threshold, because the provider's own is only its
    /// claim; a provider cannot have a score in an exam.
    function voteOf(
        Rule rule,
        bytes32 validatorDigest,
        int64 validatorScore,
        bytes32 providerDigest,
        int64 providerScore
    ) internal pure returns (Vote) {
        Mode mode = rule.mode();
        bool failed = providerDigest == FAILED_RUN;
        if ((mode != Mode.Replicate || failed) && validatorDigest != providerDigest) return Vote.Fail;
        if (failed) return Vote.Unmet;
        if (mode == Mode.Digest) return Vote.Pass;
        if (mode != Mode.Exam && distance(validatorScore, providerScore) > rule.tolerance()) return Vote.Fail;
        return validatorScore >= rule.threshold() ? Vote.Pass : Vote.Unmet;
    }

    /// @notice A majority of all seats decides, including those that did not reveal; without one the verdict is
    /// inconclusive.
    function verdictOf(uint256 seats, uint256 passes, uint256 fails, uint256 unmets) internal pure returns (Verdict) {
        if (passes * 2 > seats) return Verdict.Pass;
        if (fails * 2 > seats) return Verdict.Fail;
        if (unmets * 2 > seats) return Verdict.Unmet;
        return Verdict.Inconclusive;
    }

    /// @notice |a − b|; the whole range of int64 fits.
    function distance(int64 a, int64 b) internal pure returns (uint256) {
        int256 difference = int256(a) - int256(b);
        return uint256(difference < 0 ? -difference : difference);
    }
}
