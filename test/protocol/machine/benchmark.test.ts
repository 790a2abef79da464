import assert from "node:assert/strict";
import { test } from "node:test";
import { benchmarkSchema, deviations, type TimedRun } from "../../../src/protocol/machine/benchmark.ts";

const run = (digit: string, task: string, wallSeconds: number, cpu: number, gpu?: number): TimedRun => ({
  provider: `0x${digit.repeat(40)}`,
  task,
  wallSeconds,
  gpus: gpu === undefined ? 0 : 1,
  benchmark: { cpu, gpu },
});
const shown = (runs: readonly TimedRun[]) =>
  [...deviations(runs)].map(([account, { factor, runs: count }]) => [account[2], factor, count]);

test("providers whose times agree with their scores have the factor 1", () => {
  const runs = [run("a", "t", 100, 20), run("b", "t", 50, 40), run("c", "t", 20, 100)];
  assert.deepEqual(shown(runs), [
    ["a", 1, 1],
    ["b", 1, 1],
    ["c", 1, 1],
  ]);
});

test("one that is slower than its score promises is told from the others, whatever the task", () => {
  const runs = ["s", "t", "u"].flatMap((task, i) => [
    run("a", task, 10 * (i + 1), 20),
    run("b", task, 5 * (i + 1), 40),
    run("c", task, 10 * (i + 1), 80), // four times too slow
  ]);
  assert.deepEqual(shown(runs), [
    ["a", 1, 3],
    ["b", 1, 3],
    ["c", 4, 3],
  ]);
});

test("many runs of one provider do not move what the others are compared with", () => {
  const runs = [...Array(20).fill(run("c", "t", 40, 40)), run("a", "t", 20, 20), run("b", "t", 10, 40)];
  assert.deepEqual(shown(runs).slice(1), [
    ["a", 1, 1],
    ["b", 1, 1],
  ]);
});

test("nothing is said of a task that one provider ran, of short runs, and of jobs without the score they need", () => {
  assert.deepEqual(shown([run("a", "t", 100, 20), run("a", "t", 50, 20)]), []);
  assert.deepEqual(shown([run("a", "t", 4.9, 20), run("b", "t", 4, 20)]), []);
  const noScore = { ...run("b", "t", 10, 20), gpus: 1 };
  assert.deepEqual(shown([run("a", "t", 10, 20, 9000), noScore]), []);
  assert.deepEqual(shown([run("a", "t", 10, 20, 9000), run("b", "t", 10, 1, 9000)]).length, 2);
});

test("a score that is no positive number is no score", () => {
  const good = { version: 1, cpu: 20, disk: 300, at: 1 };
  assert.equal(benchmarkSchema.safeParse(good).success, true);
  for (const change of [{ cpu: 0 }, { cpu: Number.NaN }, { gpu: -1 }, { disk: 1e10 }, { at: 1.5 }, { x: 1 }])
    assert.equal(benchmarkSchema.safeParse({ ...good, ...change }).success, false, JSON.stringify(change));
});
