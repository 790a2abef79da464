// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {FederatedState, IFederated, Standing} from "../../../contracts/interfaces/IFederated.sol";
import {FederatedSteps} from "./FederatedSteps.sol";

/// @notice How anybody ends a federated job in which no party acts.
abstract contract FederatedEnd is FederatedSteps {
    /// @dev The calls that are anyone's; time passes where one is not possible yet.
    function asAnyone(IFederated.Terms memory terms) internal {
        FederatedState state = stateOf(terms);
        if (state == FederatedState.Disputed) return _advance(terms, address(0));
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            if (standingOf(terms, providers[i]) == Standing.Appealing) return _advance(terms, providers[i]);
        }
        if (state != FederatedState.Ended) {
            passTime(jobOf(terms).deadline);
            return federation.expire(terms);
        }
        passTime(jobOf(terms).deadline);
        bytes32 id = federation.jobIdOf(terms);
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            passTime(federation.accountOf(id, providers[i]).appealBy);
        }
        releaseStruck(terms);
        address[] memory earners = earnersOf(terms);
        for (uint256 i = 0; i < earners.length; ++i) {
            _claimRest(terms, earners[i]);
            if (_holdsStake(terms, earners[i])) release(terms, earners[i]);
        }
    }

    function _claimRest(IFederated.Terms memory terms, address account) private {
        uint256 closed = jobOf(terms).closed;
        if (closed == 0 || standingOf(terms, account) == Standing.None) return;
        uint128 claimed = federation.accountOf(federation.jobIdOf(terms), account).claimed;
        if (earnedOf(terms, account, closed) > claimed) claim(terms, account, closed);
    }

    function _advance(IFederated.Terms memory terms, address provider) private {
        if (disputeOf(terms, provider).drawBlock != 0) return empanel(terms, provider);
        // Twice: the deadline to commit, then that to reveal.
        passTime(uint256(disputeOf(terms, provider).deadline) + DISPUTE);
        if (provider == address(0)) concludeChallenge(terms, disputeOf(terms, provider).round);
        else federation.concludeAppeal(terms, strikeOf(terms, provider), strikers[federation.jobIdOf(terms)][provider]);
    }

    /// @dev Never back: a deadline may lie in the past.
    function passTime(uint256 deadline) internal {
        if (vm.getBlockTimestamp() <= deadline) vm.warp(deadline + 1);
    }

    function _holdsStake(IFederated.Terms memory terms, address who) private view returns (bool) {
        Standing standing = standingOf(terms, who);
        return standing != Standing.None && standing != Standing.Slashed && standing != Standing.Released;
    }

    function isOver(IFederated.Terms memory terms) internal view returns (bool) {
        if (stateOf(terms) != FederatedState.Ended) return false;
        address[] memory earners = earnersOf(terms);
        for (uint256 i = 0; i < earners.length; ++i) {
            if (_holdsStake(terms, earners[i])) return false;
        }
        return true;
    }
}
