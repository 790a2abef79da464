// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {State, Verdict} from "../../contracts/interfaces/IJobEscrow.sol";
import {Judgement} from "../../contracts/libraries/Judgement.sol";
import {
    APPEALED, DISCLOSED, FAILS, OCCUPIED, PASSES, PENDING, Record, REVEALED, SEATS, TO_DRAW, VACANT
} from "../../contracts/libraries/Record.sol";
import {Mode, Rule} from "../../contracts/libraries/Rule.sol";
import {Harness} from "./support/Harness.sol";

/// @notice The rules and the packing, for all values.
contract JudgementTest is Harness {
    function setUp() public override {}

    function testFuzz_ReplicateComparesScores(int64 a, int64 b, uint64 tolerance, int64 threshold) public pure {
        int256 difference = int256(a) - b;
        if (difference < 0) difference = -difference;
        bool wanted = uint256(difference) <= tolerance && a >= threshold;
        Rule rule = ruleOf(Mode.Replicate, 1, tolerance, threshold);
        yes(Judgement.confirms(rule, "x", a, "y", b) == wanted, "tolerance and threshold, whatever the digests");
        Rule evaluate = ruleOf(Mode.Evaluate, 1, tolerance, threshold);
        yes(Judgement.confirms(evaluate, "x", a, "x", b) == wanted, "the same for equal digests");
        yes(!Judgement.confirms(evaluate, "x", a, "y", b), "never for different ones");
    }

    function testFuzz_DigestComparesDigestsOnly(bytes32 x, bytes32 y, int64 a, int64 b) public pure {
        Rule rule = ruleOf(Mode.Digest, 1, 0, type(int64).max);
        yes(Judgement.confirms(rule, x, a, y, b) == (x == y), "digests decide");
        yes(Judgement.confirms(rule, x, a, x, b), "scores do not");
    }

    function testFuzz_AVerdictNeedsAMajorityOfAllSeats(uint8 seats, uint8 passes, uint8 fails) public pure {
        seats = uint8(seats % 8);
        passes = seats == 0 ? 0 : uint8(passes % (seats + 1));
        fails = uint8(fails % (seats - passes + 1));
        Verdict verdict = Judgement.verdictOf(seats, passes, fails);
        if (verdict == Verdict.Pass) yes(passes > seats - passes, "more than half passes");
        else if (verdict == Verdict.Fail) yes(fails > seats - fails, "more than half fails");
        else yes(passes <= seats - passes && fails <= seats - fails, "else nothing");
    }

    function testFuzz_RulesReadWhatWasWritten(uint8 mode, uint8 validators, uint64 tolerance, int64 threshold)
        public
        pure
    {
        Mode m = Mode(mode % 3);
        Rule rule = ruleOf(m, validators, tolerance, threshold);
        yes(rule.isCanonical() && rule.mode() == m, "mode");
        eq(rule.validators(), validators, "validators");
        eq(rule.tolerance(), tolerance, "tolerance");
        yes(rule.threshold() == threshold, "threshold");
    }

    function testFuzz_RecordFieldsDoNotTouchEachOther(uint256 seed, uint40 clock, bytes21 submission) public pure {
        Record record = Record.wrap(0).to(State(seed % 12)).until(clock).withSubmission(submission).with(APPEALED);
        uint256[7] memory counters = [SEATS, PENDING, VACANT, TO_DRAW, REVEALED, PASSES, FAILS];
        for (uint256 i = 0; i < 7; ++i) {
            for (uint256 n = 0; n < (seed >> (8 + 4 * i)) % 16; ++n) {
                record = record.plus(counters[i]);
            }
        }
        record = record.plus(OCCUPIED).plus(OCCUPIED).minus(OCCUPIED).with(DISCLOSED);
        for (uint256 i = 0; i < 7; ++i) {
            eq(record.count(counters[i]), (seed >> (8 + 4 * i)) % 16, "a counter");
        }
        eq(record.occupied(), 1, "occupied");
        eq(record.clock(), clock, "clock");
        yes(record.state() == State(seed % 12) && record.submission() == submission, "state and submission");
        Record anew = record.anew();
        for (uint256 i = 0; i < 7; ++i) {
            eq(anew.count(counters[i]), 0, "a new round");
        }
        yes(anew.has(APPEALED) && !anew.has(DISCLOSED) && anew.occupied() == 1, "keeps what is the job's");
        eq(record.clear(TO_DRAW).count(TO_DRAW), 0, "cleared");
        eq(record.clear(TO_DRAW).count(VACANT), record.count(VACANT), "its neighbour is not");
    }
}
