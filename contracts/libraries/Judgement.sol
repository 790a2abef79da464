// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Verdict} from "../interfaces/IJobEscrow.sol";
import {Mode, Rule} from "./Rule.sol";

/// @notice The rule by which measurements become votes, and votes a verdict. Arithmetic only.
library Judgement {
    /// @notice Whether a validator's measurement confirms the provider's. The validator's score is compared with
    /// the threshold, because the provider's own is only its claim.
    function confirms(
        Rule rule,
        bytes32 validatorDigest,
        int64 validatorScore,
        bytes32 providerDigest,
        int64 providerScore
    ) internal pure returns (bool) {
        Mode mode = rule.mode();
        if (mode != Mode.Replicate && validatorDigest != providerDigest) return false;
        if (mode == Mode.Digest) return true;
        return distance(validatorScore, providerScore) <= rule.tolerance() && validatorScore >= rule.threshold();
    }

    /// @notice A majority of all seats decides, including those that did not reveal; without one the verdict is
    /// inconclusive.
    function verdictOf(uint256 seats, uint256 passes, uint256 fails) internal pure returns (Verdict) {
        if (passes * 2 > seats) return Verdict.Pass;
        if (fails * 2 > seats) return Verdict.Fail;
        return Verdict.Inconclusive;
    }

    /// @notice |a − b|; the whole range of int64 fits.
    function distance(int64 a, int64 b) internal pure returns (uint256) {
        int256 difference = int256(a) - int256(b);
        return uint256(difference < 0 ? -difference : difference);
    }
}
