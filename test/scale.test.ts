import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gasOf, medianRound } from "../scripts/sim/scale/round.ts";
import { schemes } from "../scripts/sim/scale/schemes.ts";
import { scaleTables } from "../scripts/sim/scale.ts";

test("docs/scale.md has the tables that the simulation computes", () => {
  const page = readFileSync(new URL("../docs/scale.md", import.meta.url), "utf8");
  for (const [name, table] of Object.entries(scaleTables())) {
    assert.ok(page.includes(`<!-- ${name} -->\n\n${table}\n\n<!-- /${name} -->`), `the table of ${name}`);
  }
});

test("more providers and parameters never make a round shorter, nor its traffic smaller", () => {
  for (const scheme of schemes) {
    const [small, wide, long] = [
      medianRound(scheme, 100, 1e8),
      medianRound(scheme, 1000, 1e8),
      medianRound(scheme, 100, 1e9),
    ];
    assert.ok(long.total > small.total, scheme.name);
    assert.ok(wide.disk > small.disk && wide.up + wide.down > 0, scheme.name);
  }
});

test("gas of ten providers is that of the contract's own snapshot, and less for each as more come", () => {
  const snapshot = JSON.parse(
    readFileSync(new URL("./contracts/federated/gas.snapshot.json", import.meta.url), "utf8"),
  ) as Record<string, number>;
  const measured = Object.values(snapshot).reduce((sum, gas) => sum + gas, 0);
  assert.ok(Math.abs(gasOf(10, 20) - measured) / measured < 0.05, `${gasOf(10, 20)}, not ${measured}`);
  assert.ok(gasOf(1000, 20) / 1000 < gasOf(10, 20) / 10);
});
