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

test("gas a provider and round falls as providers come, since a round's close costs the same", () => {
  assert.equal(gasOf(10, 20), 54_000 + 148_000 + 20 * 67_000 + 10 * 107_000);
  assert.ok(gasOf(1000, 20) / 1000 < gasOf(10, 20) / 10);
});
