import assert from "node:assert/strict";
import { it } from "node:test";
import type { Hex } from "../../../src/protocol/ids.ts";
import { modes } from "../../../src/protocol/job/state.ts";
import { FAILED_RUN, voteOf } from "../../../src/protocol/task/judgement.ts";

const [a, b] = ["a", "b"].map((digit) => `0x${digit.repeat(64)}` as Hex) as [Hex, Hex];
const rule = { tolerance: 5n, threshold: 90n };
const claim = { digest: a, score: 97n };

it("in evaluate a result is confirmed by equal outputs and a score within the tolerance, at or above the threshold", () => {
  const judge = (digest: Hex, score: bigint, claimed = claim) =>
    voteOf({ ...rule, mode: "evaluate" }, { digest, score }, claimed);
  assert.deepEqual([judge(a, 92n), judge(a, 102n), judge(a, 97n)], ["pass", "pass", "pass"]);
  assert.deepEqual([judge(b, 97n), judge(a, 91n), judge(a, 103n)], ["fail", "fail", "fail"]);
  // The threshold applies to the validator's score, not to the one that the provider claims.
  assert.equal(judge(a, 89n, { digest: a, score: 90n }), "unmet");
  assert.equal(judge(a, 90n, { digest: a, score: 89n }), "pass");
});

it("in replicate only scores are compared, in digest only outputs", () => {
  assert.equal(voteOf({ ...rule, mode: "replicate" }, { digest: b, score: 97n }, claim), "pass");
  assert.equal(voteOf({ ...rule, mode: "replicate" }, { digest: a, score: 91n }, claim), "fail");
  assert.equal(voteOf({ ...rule, mode: "digest" }, { digest: a, score: 0n }, claim), "pass");
  assert.equal(voteOf({ ...rule, mode: "digest" }, { digest: b, score: 97n }, claim), "fail");
});

it("in an exam outputs are compared, and the validator's score alone with the threshold", () => {
  const judge = (digest: Hex, score: bigint) =>
    voteOf({ ...rule, mode: "exam" }, { digest, score }, { digest: a, score: 0n });
  assert.deepEqual([judge(a, 90n), judge(a, 89n), judge(b, 99n)], ["pass", "unmet", "fail"]);
});

it("a run that failed is unmet where it fails again, and false where it does not", () => {
  for (const mode of modes) {
    const judge = (own: Hex, theirs: Hex) =>
      voteOf({ ...rule, mode }, { digest: own, score: 97n }, { digest: theirs, score: 97n });
    assert.equal(judge(FAILED_RUN, FAILED_RUN), "unmet", mode);
    assert.equal(judge(a, FAILED_RUN), "fail", mode);
  }
});
