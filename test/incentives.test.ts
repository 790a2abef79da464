import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Assumptions, defaults } from "../scripts/sim/assumptions.ts";
import { seededChance } from "../scripts/sim/chance.ts";
import { expectedGain, simulate } from "../scripts/sim/measure.ts";
import { play } from "../scripts/sim/play.ts";
import { moneyOf } from "../scripts/sim/rules.ts";
import { strategies } from "../scripts/sim/strategies/all.ts";
import { tables } from "../scripts/sim/table.ts";

const JOBS = 2000;
const root = new URL("../", import.meta.url);
/** Without what the short formulas leave out. */
const bare: Assumptions = { ...defaults, gasPrice: 0n, outage: 0 };

describe("the simulation of incentives", () => {
  for (const strategy of strategies.filter(({ mustLose }) => mustLose)) {
    it(`has ${strategy.id} lose against honesty by default`, () => {
      const { mean, error } = simulate(strategy, JOBS, 1);
      assert.ok(mean < -3 * error && mean < 0, `${mean} ± ${error}`);
      assert.ok(expectedGain(strategy, defaults).side < 0);
    });
  }

  it("calls nothing that loses by default a strategy that pays", () => {
    for (const strategy of strategies.filter(({ mustLose }) => !mustLose)) {
      const { mean, error } = simulate(strategy, JOBS, 1);
      assert.ok(mean >= -3 * error, `${strategy.id}: ${mean} ± ${error}`);
    }
  });

  it("finds by playing what it finds by counting every course", () => {
    for (const strategy of strategies) {
      const { mean, error } = simulate(strategy, JOBS, 1);
      const { side } = expectedGain(strategy, defaults);
      assert.ok(Math.abs(mean - side) <= 4 * error + 1e-4, `${strategy.id}: ${mean} ± ${error}, not ${side}`);
    }
  });

  it("agrees with the formulas", () => {
    for (const strategy of strategies) {
      if (strategy.formula === undefined) continue;
      const { side } = expectedGain(strategy, bare);
      const wanted = strategy.formula[1](bare);
      assert.ok(Math.abs(side - wanted) < 1e-3, `${strategy.id}: ${side}, not ${wanted}`);
    }
  });

  it("makes and loses no coin, however a job goes", () => {
    const anyStrategy = fc.constantFrom(...strategies);
    fc.assert(
      fc.property(
        anyStrategy,
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (strategy, seed, share) => {
          const game = strategy.cheat({ ...defaults, share });
          const { delta, burnt } = moneyOf(game.terms, play(game, seededChance(seed)).ending);
          const sum = [...delta.values()].reduce((total, amount) => total + amount, burnt);
          assert.equal(sum, 0n);
        },
      ),
      { numRuns: 3000, seed: 20_261 },
    );
  });

  it("gives the same answer for the same seed, and another for another", () => {
    const run = (seed: number) => strategies.map((strategy) => simulate(strategy, 200, seed));
    assert.deepEqual(run(1), run(1));
    assert.notDeepEqual(run(1), run(2));
  });

  it("ends with one JSON object, and with success while nothing pays that must not", () => {
    const argv = ["scripts/sim/incentives.ts", "--jobs", "1000"];
    const { stdout, status } = spawnSync(process.execPath, argv, { cwd: root, encoding: "utf8" });
    const told = JSON.parse(stdout.trim().split("\n").at(-1)!) as { results: unknown[]; wrong: string[] };
    assert.equal(told.results.length, strategies.length);
    assert.deepEqual(told.wrong, []);
    assert.equal(status, 0);
  });

  it("has its tables in docs/incentives.md", () => {
    const text = readFileSync(new URL("docs/incentives.md", root), "utf8");
    for (const part of tables().split("\n\n")) assert.ok(text.includes(part), part);
  });
});
