import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { FederatedJob } from "../../../../../src/protocol/federated/market/job.ts";
import type { Address } from "../../../../../src/protocol/ids.ts";
import type { WorkerContext } from "../../../../../src/roles/context.ts";
import type { Arrivals } from "../../../../../src/roles/federated/market/requester/round/arrivals.ts";
import { OpenRound } from "../../../../../src/roles/federated/market/seat/open-round.ts";
import { untilTurn } from "../../../../../src/roles/federated/market/seat/round/play-round.ts";

const order = ["1", "2", "3"].map((digit) => `0x${digit.repeat(40)}` as Address);
const [first, second, third] = order as [Address, Address, Address];
const job = { deadline: 1_000_000, terms: { roundWindow: 1200 } } as FederatedJob;
const file = { federated: { quorum: 1 } } as never;

test("a seat that tells no list half a minute after the updates are here is followed by the next", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const end = new AbortController();
  t.after(() => end.abort());
  const context = { market: { now: async () => 0 } } as unknown as WorkerContext;
  const here = Promise.withResolvers<readonly Address[]>();
  const arrivals = { enough: () => here.promise } as unknown as Arrivals;
  const heard = new Set<string>();
  const journal = {
    outcome: <T>(name: string) => (heard.has(name) ? ({} as T) : undefined),
  };
  const turns: string[] = [];
  const wait = (account: Address, one: Address, round = 1) => {
    const of = { seat: { order, account }, state: { job, round, arrivals, place: { draft: { file } } }, one };
    void untilTurn(context, journal, of, end).then(
      () => turns.push(`${round} ${order.indexOf(account)} ${order.indexOf(one)}`),
      () => undefined,
    );
  };
  wait(second, first);
  // What the one that is silent itself makes of the next, and the next of itself and of the one after.
  wait(first, second);
  wait(second, second);
  wait(second, third);
  wait(third, second);
  // In round 2 the second is first, and told a list.
  heard.add("listed-2-1");
  wait(third, third, 2);
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    for (let i = 0; i < 20; i += 1) await setImmediate();
  };
  await pass(60_000);
  assert.deepEqual(turns, ["1 1 0"]);
  here.resolve([]);
  await pass(0);
  await pass(29_000);
  assert.deepEqual(turns, ["1 1 0"]);
  await pass(1_000);
  assert.deepEqual(turns, ["1 1 0", "1 1 1", "1 2 1"]);
  await pass(120_000);
  assert.deepEqual(turns, ["1 1 0", "1 1 1", "1 2 1"]);
});

test("a message of the next round waits until it is open, and one of another is not taken", async () => {
  const { signal } = new AbortController();
  const opened = new OpenRound();
  const [one, two] = [{}, {}] as [Arrivals, Arrivals];
  const early = opened.at(2, { signal });
  opened.show(1, one);
  assert.equal(await opened.at(1, { signal }), one);
  assert.equal(await opened.at(3, { signal }), undefined);
  opened.show(2, two);
  assert.equal(await early, two);
  assert.equal(await opened.at(1, { signal }), undefined);
  const late = opened.at(3, { signal: AbortSignal.abort(new RangeError("over")) });
  await assert.rejects(late, RangeError);
});
