// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Round, State, Verdict} from "../../contracts/interfaces/IJobEscrow.sol";
import {Judgement} from "../../contracts/libraries/Judgement.sol";
import {
    APPEALED, DISCLOSED, DRAWS, FAILS, NAMED, OCCUPIED, ONE_SIDED, PASSES, PENDING, Record, REVEALED, SEATS, SEEDED,
    TO_DRAW, VACANT
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

    function testFuzz_RecordFieldsDoNotTouchEachOther(uint256 seed, uint40 deadline, bytes20 submission) public pure {
        Record record = Record.wrap(0).to(State(seed % 12)).until(deadline).withSubmission(submission);
        record = record.with(APPEALED).with(NAMED).with(SEEDED).with(ONE_SIDED);
        uint256[7] memory counters = [SEATS, PENDING, VACANT, TO_DRAW, REVEALED, PASSES, FAILS];
        for (uint256 i = 0; i < 7; ++i) {
            for (uint256 n = 0; n < (seed >> (8 + 4 * i)) % 16; ++n) {
                record = record.plus(counters[i]);
            }
        }
        record = record.plus(OCCUPIED).plus(OCCUPIED).minus(OCCUPIED).with(DISCLOSED).plus(DRAWS).plus(DRAWS);
        for (uint256 i = 0; i < 7; ++i) {
            eq(record.count(counters[i]), (seed >> (8 + 4 * i)) % 16, "a counter");
        }
        eq(record.occupied(), 1, "occupied");
        eq(record.draws(), 2, "draws");
        eq(record.deadline(), deadline, "deadline");
        yes(record.state() == State(seed % 12) && record.submission() == submission, "state and submission");
        yes(record.round() == Round.First, "the first round");
        eq(record.clear(TO_DRAW).count(TO_DRAW), 0, "cleared");
        eq(record.clear(TO_DRAW).count(VACANT), record.count(VACANT), "its neighbour is not");
        yes(!record.without(SEEDED).has(SEEDED) && record.without(SEEDED).has(ONE_SIDED), "a flag, not its neighbour");
    }

    function testFuzz_AnotherRoundForgetsVotesOnly(uint256 word) public pure {
        Record ended = Record.wrap(word & ~(uint256(3) << 92));
        Record next = ended.begin(Round.Challenge);
        uint256[7] memory counters = [SEATS, PENDING, VACANT, TO_DRAW, REVEALED, PASSES, FAILS];
        for (uint256 i = 0; i < 7; ++i) {
            eq(next.count(counters[i]), 0, "a new round");
        }
        yes(!next.has(DISCLOSED) && !next.has(ONE_SIDED) && next.round() == Round.Challenge, "nothing known in it");
        yes(next.has(APPEALED) == ended.has(APPEALED) && next.has(NAMED) == ended.has(NAMED), "flags of the job");
        eq(next.occupied(), ended.occupied(), "who had a seat");
        eq(next.draws(), ended.draws(), "seeds used");
        yes(next.submission() == ended.submission(), "the submission");
        yes(next.begin(Round.Appeal).round() == Round.Appeal, "a third round");
    }
}
