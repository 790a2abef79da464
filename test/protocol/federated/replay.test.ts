import assert from "node:assert/strict";
import { test } from "node:test";
import { decide } from "../../../src/protocol/federated/aggregate.ts";
import { openUpdate } from "../../../src/protocol/federated/codec/update.ts";
import { afterReplays, sameTraining } from "../../../src/protocol/federated/replay.ts";
import { strategyOf } from "../../../src/protocol/federated/strategies.ts";
import type { Address } from "../../../src/protocol/ids.ts";
import { encode } from "../../../src/roles/federated/encode.ts";
import { serverStep } from "../../../src/roles/federated/server-step.ts";

const LENGTH = 4096;

test("a replay may differ in one value of a thousand, and not in more", () => {
  const sent = Float64Array.from({ length: LENGTH }, (_, i) => i);
  const other = (count: number) => sent.map((value, i) => (i < count ? value + 1 : value));
  assert.ok(sameTraining(sent, sent));
  assert.ok(sameTraining(sent, other(4)));
  assert.ok(!sameTraining(sent, other(5)));
  assert.ok(!sameTraining(sent, sent.subarray(0, LENGTH - 5)));
});

test("a clean replay brings a suspect back with its rows, and a proven cheat leaves", () => {
  const strategy = strategyOf("gate")!;
  const updateOf = (value: number) =>
    openUpdate(encode(new Float64Array(LENGTH).fill(value), "int8").bytes, LENGTH);
  const gains = [
    { own: 500_000, others: 100_000 },
    { own: 500_000, others: 100_000 },
    { own: -1, others: 0 },
    { own: -1, others: 0 },
  ];
  const decision = decide({
    strategy,
    settings: {},
    server: serverStep({ settings: {} }, strategy),
    memory: {},
    root: updateOf(1),
    entries: gains.map((one, i) => ({
      account: `0x${String(i + 1).repeat(40)}` as Address,
      ...{ rows: 10 + i, update: updateOf(1), gains: one },
    })),
  });
  assert.deepEqual(decision.plan.suspects, [2, 3]);
  const judged = afterReplays(
    decision,
    new Map([
      [1, "proven"],
      [2, "clean"],
      [3, "proven"],
    ]),
    true,
  );
  assert.deepEqual(judged.plan.groups, [[0, 2]]);
  assert.equal(judged.plan.weights[2], 12);
  const found = new Map([
    [0, "withheld"],
    [1, "clean"],
    [2, "clean"],
  ] as const);
  assert.deepEqual(afterReplays(decision, found, false).plan.groups, [[1]], "of top-k updates");
});
