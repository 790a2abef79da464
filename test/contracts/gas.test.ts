import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { deployMarket, ETHER, join, type Market } from "../support/chain/escrow.ts";
import { runOptimistic, runValidated, total } from "../support/chain/steps.ts";

const SNAPSHOT = new URL("./gas.snapshot.json", import.meta.url);
const TOLERANCE = 0.02;

describe("gas of a whole job, in steady state", () => {
  let market: Market;

  before(async () => {
    market = await deployMarket();
  });
  after(() => market.close());

  it("stays within 2 % of the snapshot and within the bounds", async () => {
    const parties = market.actors.slice(1, 4);
    for (const actor of parties) await join(market, actor, 10n * ETHER);
    await runValidated(market, parties);
    const validated = await runValidated(market, parties);
    const optimistic = await runOptimistic(market, parties);
    assert.ok(total(validated) <= 450_000, `validated: ${total(validated)}`);
    assert.ok(total(optimistic) <= 280_000, `optimistic: ${total(optimistic)}`);

    const measured = { validated, optimistic };
    if (process.env.UPDATE_SNAPSHOT === "1")
      await writeFile(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`);
    const wanted = JSON.parse(await readFile(SNAPSHOT, "utf8")) as typeof measured;
    for (const path of ["validated", "optimistic"] as const) {
      assert.deepEqual(Object.keys(measured[path]), Object.keys(wanted[path]));
      for (const [call, gas] of Object.entries(wanted[path])) {
        const off = Math.abs((measured[path][call] ?? 0) - gas) / gas;
        assert.ok(off <= TOLERANCE, `${path} ${call}: ${measured[path][call]} instead of ${gas}`);
      }
    }
  });

  it("does not grow with offers, jobs and ratings", async () => {
    const parties = market.actors.slice(1, 4);
    const early = await runValidated(market, parties);
    for (const actor of market.actors.slice(4)) await join(market, actor, ETHER);
    for (let i = 0; i < 20; i++) await runValidated(market, parties);
    const late = await runValidated(market, parties);
    for (const [call, gas] of Object.entries(early)) {
      assert.ok(Math.abs((late[call] ?? 0) - gas) / gas <= 0.01, `${call}: ${gas} → ${late[call]}`);
    }
  });
});
