import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { combineBy, factorsOf } from "../../../src/protocol/federated/combine.ts";
import { ONE } from "../../../src/protocol/federated/exact.ts";
import { applyStep, plainStep } from "../../../src/protocol/federated/server/step.ts";
import { productsOf } from "../../../src/protocol/federated/statistics.ts";
import { joinClusters } from "../../../src/protocol/federated/strategies/robust/bottom-up.ts";
import { dbscan } from "../../../src/protocol/federated/strategies/robust/dbscan.ts";
import { decideBy, rawUpdate } from "./support.ts";

// What numpy and scikit-learn say of the same inputs: fixtures/make.py.
const oracles = JSON.parse(readFileSync(new URL("./fixtures/oracles.json", import.meta.url), "utf8"));
const { combine, server } = oracles;
const updates = combine.codes.map((codes: number[], i: number) => rawUpdate(codes, combine.scales[i]));

function collect(run: ReturnType<typeof combineBy>): number[] {
  const all: number[] = [];
  run((change, size) => all.push(...change.subarray(0, size)));
  return all;
}

test("DBSCAN gives scikit-learn's labels on 20 inputs of chance", () => {
  assert.equal(oracles.dbscan.length, 20);
  for (const { cosines, eps, points, labels } of oracles.dbscan) {
    const near = (i: number, j: number) => 1000 * (ONE - cosines[i][j]) <= eps * ONE;
    assert.deepEqual(dbscan(cosines.length, near, points), labels);
  }
});

test("joining from the bottom to the top gives scikit-learn's average-link clusters on 20 inputs of chance", () => {
  assert.equal(oracles.joining.length, 20);
  for (const { cosines, stop, clusters } of oracles.joining) {
    assert.deepEqual(joinClusters(cosines, (stop * ONE) / 1000), clusters);
  }
});

test("inner products of updates are exact", () => {
  const { pairs, squares } = productsOf(updates, { root: false, pairs: true });
  assert.deepEqual(
    pairs.map((line) => line.map(String)),
    combine.pairs,
  );
  assert.deepEqual(
    squares.map(String),
    combine.pairs.map((line: string[], i: number) => line[i]),
  );
});

test("the weighted mean is numpy's within the rounding of its factors", () => {
  const decision = decideBy(
    "fedavg",
    updates.map((update: (typeof updates)[number], i: number) => ({ update, rows: combine.rows[i] })),
  );
  const factors = factorsOf(decision.plan, decision.plan.groups[0]!, decision.products);
  const mean = collect(combineBy({ kind: "mean", factors }, updates, 300));
  const largest = 127 * 2 ** 11;
  for (const [i, value] of mean.entries()) {
    assert.ok(Math.abs(value - combine.mean[i]) <= 0.5 + (7 * largest) / 2 ** 20, `${i}: ${value}`);
  }
});

test("median and trimmed mean are numpy's, to the unit", () => {
  const middle = (count: number, cut: number) =>
    combineBy({ kind: "middle", chosen: [...Array(count).keys()], cut }, updates, 300);
  assert.deepEqual(collect(middle(7, 3)), combine.median);
  assert.deepEqual(collect(middle(6, 2)), combine.medianOfSix);
  assert.deepEqual(collect(middle(7, 2)), combine.trimmed);
});

test("multi-Krum takes those that numpy's distances take", () => {
  const sent = updates.map((update: (typeof updates)[number]) => ({ update }));
  assert.deepEqual(decideBy("multi-krum", sent).plan.groups, [combine.krum]);
});

for (const kind of ["momentum", "nesterov", "adam"] as const) {
  test(`six steps of ${kind} are numpy's within a few units`, () => {
    const step = {
      ...plainStep,
      ...(kind === "adam"
        ? { kind, lr: 10, beta1: 900, beta2: 990, tau: 1000 }
        : { kind, lr: 700, momentum: 900 }),
    };
    const states = [new Float64Array(40), new Float64Array(40)].slice(0, kind === "adam" ? 2 : 1);
    for (const [round, numbers] of server.changes.entries()) {
      const change = Float64Array.from(numbers, (value: number) => Math.round(value * 2 ** 24));
      applyStep(step, change, states, 40);
      for (const [i, units] of change.entries()) {
        const expected = server[kind][round][i] * 2 ** 24;
        assert.ok(
          Math.abs(units - expected) <= 8 + Math.abs(expected) / 1000,
          `round ${round}: ${units}, not ${expected}`,
        );
      }
    }
  });
}
