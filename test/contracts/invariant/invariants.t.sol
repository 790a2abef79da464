// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Campaign} from "./Campaign.sol";

/// @notice The eight invariants of INVARIANTS.md, each over random histories of calls. Each has a campaign of its own
/// that checks nothing else, so that the name of a failing campaign says which invariant is violated.

contract Invariant1Test is Campaign(1) {
    function invariant_CoinsInAreCoinsOutPlusCoinsOwed() public view {
        _holds();
    }
}

contract Invariant2Test is Campaign(2) {
    function invariant_OnePartyAloneCanEndAnyJob() public view {
        _holds();
    }
}

contract Invariant3Test is Campaign(3) {
    function invariant_EveryPartyIsPaidForItsWork() public view {
        _holds();
    }
}

contract Invariant4Test is Campaign(4) {
    function invariant_JobsReturnOnlyByChallengeAndAppealOnceEach() public view {
        _holds();
    }
}

contract Invariant5Test is Campaign(5) {
    function invariant_RatingsAndCountersComeFromFinalJobsOnce() public view {
        _holds();
    }
}

contract Invariant6Test is Campaign(6) {
    function invariant_TheCostOfEveryCallIsBounded() public view {
        _holds();
    }
}

contract Invariant7Test is Campaign(7) {
    function invariant_NoPartyIsSlashedForAnothersFailure() public view {
        _holds();
    }
}

contract Invariant8Test is Campaign(8) {
    function invariant_ThePoolOfADrawIsFixedBeforeItsSeedsAreKnown() public view {
        _holds();
    }
}
