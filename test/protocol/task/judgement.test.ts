import assert from "node:assert/strict";
import { it } from "node:test";
import type { Hex } from "../../../src/protocol/ids.ts";
import { confirms } from "../../../src/protocol/task/judgement.ts";

const [a, b] = ["a", "b"].map((digit) => `0x${digit.repeat(64)}` as Hex) as [Hex, Hex];
const rule = { tolerance: 5n, threshold: 90n };
const theirs = { digest: a, score: 97n };

it("evaluate wants the same outputs, a score within the tolerance, and one that is good enough", () => {
  const judge = (digest: Hex, score: bigint, claimed = theirs) =>
    confirms({ ...rule, mode: "evaluate" }, { digest, score }, claimed);
  assert.deepEqual([judge(a, 92n), judge(a, 102n), judge(a, 97n)], [true, true, true]);
  assert.deepEqual([judge(b, 97n), judge(a, 91n), judge(a, 103n)], [false, false, false]);
  // The own score is held against the threshold, the provider's is a claim only.
  assert.equal(judge(a, 89n, { digest: a, score: 90n }), false);
  assert.equal(judge(a, 90n, { digest: a, score: 89n }), true);
});

it("replicate leaves the outputs aside, digest everything else", () => {
  assert.equal(confirms({ ...rule, mode: "replicate" }, { digest: b, score: 97n }, theirs), true);
  assert.equal(confirms({ ...rule, mode: "replicate" }, { digest: a, score: 91n }, theirs), false);
  assert.equal(confirms({ ...rule, mode: "digest" }, { digest: a, score: 0n }, theirs), true);
  assert.equal(confirms({ ...rule, mode: "digest" }, { digest: b, score: 97n }, theirs), false);
});
