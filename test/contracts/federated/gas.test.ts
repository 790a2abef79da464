import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { closedHash, findingOf } from "../../../src/protocol/federated/market/closing.ts";
import { leadGas } from "../../../src/protocol/federated/pay/quote.ts";
import { type Actor, deployMarket, ETHER, join, type Market } from "../../support/chain/escrow.ts";
import { Federation } from "../../support/chain/federation.ts";

const SNAPSHOT = new URL("./gas.snapshot.json", import.meta.url);
const TOLERANCE = 0.02;
/** Of a draw, which looks at more or fewer members of the pool. */
const DRAW_TOLERANCE = 0.1;
/** As many as a job has seats, so that the same accounts are drawn each time. */
const POOL = 3;
const MOST = 64;

describe("gas of a federated job", () => {
  let market: Market;
  let providers: readonly Actor[];

  before(async () => {
    market = await deployMarket(2 + POOL + MOST);
    providers = market.actors.slice(2 + POOL);
    for (const actor of market.actors.slice(2))
      await join(market, actor, ETHER, 32, !providers.includes(actor));
  });
  after(() => market.close());

  /** A job up to its first two closings, in which all slots of its own are written. */
  async function begun(count: number, seats: number): Promise<Federation> {
    const job = new Federation(market, market.actors[1]!, providers.slice(0, count));
    await job.post({ seats, rounds: 20 });
    await job.begin();
    await job.close();
    return job;
  }

  async function whole(): Promise<Federation> {
    const job = await begun(10, 3);
    while (job.closings.length < 20) await job.close();
    await market.rpc("evm_increaseTime", 2 * 3600);
    await market.rpc("evm_mine");
    await job.claimAll();
    await job.releaseAll();
    return job;
  }

  it("does not grow with the providers: a closing costs the same for 4 and for 64, and at most 90,000 with 3 seats", async () => {
    const closings: number[] = [];
    for (const count of [4, MOST]) {
      const job = await begun(count, 3);
      const before = job.gas.close!;
      await job.close();
      closings.push(job.gas.close! - before);
    }
    const [few, many] = closings as [number, number];
    assert.ok(few <= 90_000, `close: ${few}`);
    assert.ok(Math.abs(many - few) / few <= 0.01, `${few} and ${many}`);
  });

  it("stays within 3.2 M for ten providers, twenty rounds and three seats, and within 2 % of the snapshot", async () => {
    await whole(); // accounts that have earned before: their slots are written
    const job = await whole();
    const sum = Object.values(job.gas).reduce((total, gas) => total + gas, 0);
    assert.ok(sum <= 3_200_000, `all calls: ${sum}`);
    if (process.env.UPDATE_SNAPSHOT === "1")
      await writeFile(SNAPSHOT, `${JSON.stringify(job.gas, null, 2)}\n`);
    const wanted = JSON.parse(await readFile(SNAPSHOT, "utf8")) as Record<string, number>;
    assert.deepEqual(Object.keys(job.gas), Object.keys(wanted));
    for (const [call, gas] of Object.entries(wanted)) {
      const tolerance = call === "seat" ? DRAW_TOLERANCE : TOLERANCE;
      assert.ok(
        Math.abs(job.gas[call]! - gas) / gas <= tolerance,
        `${call}: ${job.gas[call]} instead of ${gas}`,
      );
    }
  });

  it("costs a requester that leads what a quote says", async () => {
    const job = await begun(10, 0);
    const first = job.gas.close!;
    await job.close();
    const { post, invite, invited, begin, firstClose, close } = leadGas;
    for (const [call, quoted, gas] of [
      ...([["post", post, job.gas.post!]] as const),
      ...([["invite", invite + 10 * invited, job.gas.invite!]] as const),
      ...([["begin", begin, job.gas.begin!]] as const),
      ...([["first close", firstClose, first]] as const),
      ...([["close", close, job.gas.close! - first]] as const),
    ])
      assert.ok(Math.abs(quoted - gas) / gas <= TOLERANCE, `${call}: ${quoted}, measured ${gas}`);
  });

  it("costs a requester for whom validators lead what a quote says", async () => {
    const { seat, seated } = leadGas;
    for (const seats of [1, 3]) {
      const { gas } = await begun(4, seats);
      const quoted = seat + seats * seated;
      assert.ok(Math.abs(quoted - gas.seat!) / quoted <= DRAW_TOLERANCE, `${seats}: ${quoted}, ${gas.seat}`);
    }
  });

  it("computes ids, hashes and findings as the client does", async () => {
    const job = await begun(4, 1);
    const { federated } = market;
    assert.equal(await federated.getFunction("jobIdOf")(job.terms), job.id);
    assert.equal(await federated.getFunction("tipOf")(job.id), closedHash(job.closings.at(-1)!));
    const { closing } = job.closings[0]!;
    assert.equal(await federated.getFunction("findingOf")(closing), findingOf(closing));
  });
});
