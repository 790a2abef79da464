// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Campaign} from "./Campaign.sol";

/// @notice The eight invariants of INVARIANTS.md, each over random histories of calls by everybody. Each has a
/// campaign of its own, in which nothing else is looked at, so that what fails names what is broken.

contract Invariant1Test is Campaign(1) {
    function invariant_CoinsInAreCoinsOutPlusCoinsOwed() public view {
        _holds();
    }
}

contract Invariant2Test is Campaign(2) {
    function invariant_FromEveryStateOneAloneCanLeave() public view {
        _holds();
    }
}

contract Invariant3Test is Campaign(3) {
    function invariant_NobodyWorksForNothing() public view {
        _holds();
    }
}

contract Invariant4Test is Campaign(4) {
    function invariant_NoJobReturnsButByChallengeAndAppealOnceEach() public view {
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
    function invariant_NobodyIsSlashedForAnothersFailure() public view {
        _holds();
    }
}

contract Invariant8Test is Campaign(8) {
    function invariant_WhoCanBeDrawnIsSettledBeforeTheSeedsAreKnown() public view {
        _holds();
    }
}
