import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { FederatedJob } from "../../../../../src/protocol/federated/market/job.ts";
import type { Address } from "../../../../../src/protocol/ids.ts";
import type { WorkerContext } from "../../../../../src/roles/context.ts";
import type { Arrivals } from "../../../../../src/roles/federated/market/requester/round/arrivals.ts";
import { OpenRound } from "../../../../../src/roles/federated/market/seat/open-round.ts";
import { untilTurn } from "../../../../../src/roles/federated/market/seat/round/play-round.ts";
import { Silence, turnsOf } from "../../../../../src/roles/federated/market/seat/turns.ts";

const order = ["1", "2", "3"].map((digit) => `0x${digit.repeat(40)}` as Address);
const [first, second, third] = order as [Address, Address, Address];
const job = {
  ...{ deadline: 1_000_000, terms: { roundWindow: 1200 } },
  closings: [{ signers: order }, { signers: [order[0], order[2]] }],
} as unknown as FederatedJob;
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
    for (let left = ms; left >= 0; left -= 1000) {
      t.mock.timers.tick(Math.min(left, 1000));
      for (let i = 0; i < 20; i += 1) await setImmediate();
    }
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

test("seats that did not sign the round before come last in the next, and only there", () => {
  assert.deepEqual(turnsOf(order, 1, undefined), [first, second, third]);
  assert.deepEqual(turnsOf(order, 2, order), [second, third, first]);
  // It was to be first.
  assert.deepEqual(turnsOf(order, 2, [first, third]), [third, first, second]);
  assert.deepEqual(turnsOf(order, 3, [first, third]), [third, first, second]);
  assert.deepEqual(turnsOf(order, 4, [first, third]), [first, third, second]);
  assert.deepEqual(turnsOf(order, 5, order), [second, third, first]);
  assert.deepEqual(turnsOf(order, 2, []), [second, third, first]);
});

test("one that leads is waited for while this seat works on what it told, and then thrice as long", () => {
  const done = new Set<string>();
  const outcome = <T>(name: string) => (done.has(name) ? ({} as T) : undefined);
  const silence = new Silence({ outcome }, 7);
  assert.ok(!silence.isOver([2], 0));
  assert.ok(!silence.isOver([2], 29));
  done.add("listed-7-2");
  assert.ok(!silence.isOver([2], 30));
  assert.ok(!silence.isOver([2], 1_000));
  done.add("figures-7-2");
  assert.ok(!silence.isOver([2], 1_050));
  // Of half a minute, and thrice 1,020 s.
  assert.ok(!silence.isOver([2], 4_139));
  assert.ok(silence.isOver([2], 4_140));
  // The one between them has not told a list yet either.
  assert.ok(!silence.isOver([2, 0], 4_169));
  assert.ok(silence.isOver([2, 0], 4_170));
  done.add("heard-7-2");
  assert.ok(!silence.isOver([2], 4_200));
  done.add("examined-7-2");
  assert.ok(!silence.isOver([2], 4_210));
  assert.ok(silence.isOver([2], 4_270));
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
