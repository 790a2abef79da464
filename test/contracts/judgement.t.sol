// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Round, State, Verdict} from "../../contracts/interfaces/IJob.sol";
import {FAILED_RUN, Judgement, Vote} from "../../contracts/libraries/Judgement.sol";
import {
    APPEALED, DISCLOSED, DRAWS, FAILS, NAMED, OCCUPIED, ONE_SIDED, PASSES, PENDING, Record, REVEALED, SEATS, SEEDED,
    TO_DRAW, UNMET, VACANT
} from "../../contracts/libraries/Record.sol";
import {Mode, Rule} from "../../contracts/libraries/Rule.sol";
import {Harness} from "./support/Harness.sol";

/// @notice The rule and the packed words, for all values. See judgement.tree.
contract JudgementTest is Harness {
    function setUp() public override {}

    function testFuzz_ReplicateComparesScores(int64 a, int64 b, uint64 tolerance, int64 threshold) public pure {
        int256 difference = int256(a) - b;
        if (difference < 0) difference = -difference;
        Vote wanted = Vote.Fail;
        if (uint256(difference) <= tolerance) wanted = a >= threshold ? Vote.Pass : Vote.Unmet;
        Rule rule = ruleOf(Mode.Replicate, 1, tolerance, threshold);
        assertTrue(Judgement.voteOf(rule, "x", a, "y", b) == wanted, "tolerance and threshold, whatever the digests");
        Rule evaluate = ruleOf(Mode.Evaluate, 1, tolerance, threshold);
        assertTrue(Judgement.voteOf(evaluate, "x", a, "x", b) == wanted, "the same for equal digests");
        assertTrue(Judgement.voteOf(evaluate, "x", a, "y", b) == Vote.Fail, "never for different digests");
    }

    function testFuzz_ExamComparesDigestsAndTheThreshold(int64 a, int64 b, uint64 tolerance, int64 threshold)
        public
        pure
    {
        Rule rule = ruleOf(Mode.Exam, 1, tolerance, threshold);
        Vote wanted = a >= threshold ? Vote.Pass : Vote.Unmet;
        assertTrue(Judgement.voteOf(rule, "x", a, "x", b) == wanted, "whatever the provider's score");
        assertTrue(Judgement.voteOf(rule, "x", a, "y", b) == Vote.Fail, "never for different digests");
    }

    function testFuzz_AFailedRunIsUnmetOrFalse(uint8 mode, bytes32 digest, int64 a, int64 b) public pure {
        Rule rule = ruleOf(Mode(mode % 4), 1, type(uint64).max, type(int64).min);
        assertTrue(Judgement.voteOf(rule, FAILED_RUN, a, FAILED_RUN, b) == Vote.Unmet, "a failure reproduced");
        if (digest == FAILED_RUN) return;
        assertTrue(Judgement.voteOf(rule, digest, a, FAILED_RUN, b) == Vote.Fail, "a failure that is none");
        if (rule.mode() == Mode.Replicate) return;
        assertTrue(Judgement.voteOf(rule, FAILED_RUN, a, digest, b) == Vote.Fail, "a result that is none");
    }

    function testFuzz_DigestComparesDigestsOnly(bytes32 x, bytes32 y, int64 a, int64 b) public pure {
        Rule rule = ruleOf(Mode.Digest, 1, 0, type(int64).max);
        if (y == FAILED_RUN) return;
        assertTrue(Judgement.voteOf(rule, x, a, y, b) == (x == y ? Vote.Pass : Vote.Fail), "digests decide");
    }

    function testFuzz_AVerdictNeedsAMajorityOfAllSeats(uint8 seats, uint8 passes, uint8 fails, uint8 unmets)
        public
        pure
    {
        seats = uint8(seats % 8);
        passes = uint8(passes % (seats + 1));
        fails = uint8(fails % (seats - passes + 1));
        unmets = uint8(unmets % (seats - passes - fails + 1));
        Verdict verdict = Judgement.verdictOf(seats, passes, fails, unmets);
        if (verdict == Verdict.Pass) assertTrue(passes > seats - passes, "more than half passes");
        else if (verdict == Verdict.Fail) assertTrue(fails > seats - fails, "more than half fails");
        else if (verdict == Verdict.Unmet) assertTrue(unmets > seats - unmets, "more than half find it short");
        else assertTrue(passes <= seats - passes && fails <= seats - fails && unmets <= seats - unmets, "no majority");
    }

    function testFuzz_RulesDecodeWhatWasEncoded(uint8 mode, uint8 validators, uint64 tolerance, int64 threshold)
        public
        pure
    {
        Mode m = Mode(mode % 4);
        vm.assume(m != Mode.Exam || validators != 0);
        Rule rule = ruleOf(m, validators, tolerance, threshold);
        assertTrue(rule.isCanonical() && rule.mode() == m, "mode");
        assertEq(rule.validators(), validators, "validators");
        assertEq(rule.tolerance(), tolerance, "tolerance");
        assertTrue(rule.threshold() == threshold, "threshold");
        assertEq(rule.effort(), EFFORT, "effort");
        assertEq(rule.stopFloor(), STOP_FLOOR, "floor of a stop");
        assertEq(rule.stopCap(), STOP_CAP, "cap of a stop");
    }

    function testFuzz_RecordFieldsDoNotTouchEachOther(uint256 seed, uint40 deadline, bytes20 submission) public pure {
        Record record = Record.wrap(0).to(State(seed % 12)).until(deadline).withSubmission(submission);
        record = record.with(APPEALED).with(NAMED).with(SEEDED).with(ONE_SIDED).with(UNMET);
        uint256[7] memory counters = [SEATS, PENDING, VACANT, TO_DRAW, REVEALED, PASSES, FAILS];
        for (uint256 i = 0; i < 7; ++i) {
            for (uint256 n = 0; n < (seed >> (8 + 4 * i)) % 16; ++n) {
                record = record.plus(counters[i]);
            }
        }
        record = record.plus(OCCUPIED).plus(OCCUPIED).minus(OCCUPIED).with(DISCLOSED).plus(DRAWS).plus(DRAWS);
        for (uint256 i = 0; i < 7; ++i) {
            assertEq(record.count(counters[i]), (seed >> (8 + 4 * i)) % 16, "a counter");
        }
        assertEq(record.occupied(), 1, "occupied");
        assertEq(record.draws(), 2, "draws");
        assertEq(record.deadline(), deadline, "deadline");
        assertTrue(record.state() == State(seed % 12) && record.submission() == submission, "state and submission");
        assertTrue(record.round() == Round.First, "the first round");
        assertEq(record.clear(TO_DRAW).count(TO_DRAW), 0, "cleared");
        assertEq(record.clear(TO_DRAW).count(VACANT), record.count(VACANT), "the next counter is unchanged");
        Record unseeded = record.without(SEEDED);
        assertTrue(!unseeded.has(SEEDED) && unseeded.has(ONE_SIDED), "one flag is cleared, the next is unchanged");
    }

    function testFuzz_ANewRoundClearsVotesOnly(uint256 word) public pure {
        Record ended = Record.wrap(word & ~(uint256(3) << 92));
        Record next = ended.begin(Round.Challenge);
        uint256[7] memory counters = [SEATS, PENDING, VACANT, TO_DRAW, REVEALED, PASSES, FAILS];
        for (uint256 i = 0; i < 7; ++i) {
            assertEq(next.count(counters[i]), 0, "a new round");
        }
        assertTrue(!next.has(DISCLOSED) && !next.has(ONE_SIDED), "nothing is disclosed or drawn");
        assertTrue(!next.has(UNMET), "nothing is judged");
        assertTrue(next.round() == Round.Challenge, "the second round");
        assertTrue(next.has(APPEALED) == ended.has(APPEALED), "a flag of the job");
        assertTrue(next.has(NAMED) == ended.has(NAMED), "another flag of the job");
        assertEq(next.occupied(), ended.occupied(), "seats ever given");
        assertEq(next.draws(), ended.draws(), "seeds used");
        assertTrue(next.submission() == ended.submission(), "the submission");
        assertTrue(next.begin(Round.Appeal).round() == Round.Appeal, "a third round");
    }
}
