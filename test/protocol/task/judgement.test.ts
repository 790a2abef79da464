import assert from "node:assert/strict";
import { it } from "node:test";
import type { Hex } from "../../../src/protocol/ids.ts";
import { confirms } from "../../../src/protocol/task/judgement.ts";

const [a, b] = ["a", "b"].map((digit) => `0x${digit.repeat(64)}` as Hex) as [Hex, Hex];
const rule = { tolerance: 5n, threshold: 90n };
const claim = { digest: a, score: 97n };

it("in evaluate a result is confirmed by equal outputs and a score within the tolerance, at or above the threshold", () => {
  const judge = (digest: Hex, score: bigint, claimed = claim) =>
    confirms({ ...rule, mode: "evaluate" }, { digest, score }, claimed);
  assert.deepEqual([judge(a, 92n), judge(a, 102n), judge(a, 97n)], [true, true, true]);
  assert.deepEqual([judge(b, 97n), judge(a, 91n), judge(a, 103n)], [false, false, false]);
  // The threshold applies to the validator's score, not to the one that the provider claims.
  assert.equal(judge(a, 89n, { digest: a, score: 90n }), false);
  assert.equal(judge(a, 90n, { digest: a, score: 89n }), true);
});

it("in replicate only scores are compared, in digest only outputs", () => {
  assert.equal(confirms({ ...rule, mode: "replicate" }, { digest: b, score: 97n }, claim), true);
  assert.equal(confirms({ ...rule, mode: "replicate" }, { digest: a, score: 91n }, claim), false);
  assert.equal(confirms({ ...rule, mode: "digest" }, { digest: a, score: 0n }, claim), true);
  assert.equal(confirms({ ...rule, mode: "digest" }, { digest: b, score: 97n }, claim), false);
});
