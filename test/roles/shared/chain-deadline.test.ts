import assert from "node:assert/strict";
import { test } from "node:test";
import { chainDeadline } from "../../../src/roles/shared/chain-deadline.ts";

const { signal } = new AbortController();
/** Lets pending promises settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("many deadlines need one request for the chain's time at each poll", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  let time = 1000;
  const market = {
    now: async () => {
      asked += 1;
      return time;
    },
  };
  const clocks = Array.from({ length: 30 }, (_, i) => chainDeadline(1100 + i, market, signal));
  await settle();
  assert.equal(asked, 1);
  for (let poll = 0; poll < 3; poll += 1) {
    t.mock.timers.tick(5000);
    await settle();
  }
  assert.equal(asked, 4);
  time = 1110;
  t.mock.timers.tick(5000);
  await settle();
  assert.equal(clocks.filter(({ expired }) => expired).length, 11);
  for (const clock of clocks) clock[Symbol.dispose]();
  t.mock.timers.tick(60_000);
  await settle();
  assert.equal(asked, 5, "no request without a deadline");
});

test("a deadline passes while the node does not answer", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let at = 0;
  t.mock.method(performance, "now", () => at);
  let answers = true;
  const market = { now: () => (answers ? Promise.resolve(1000) : Promise.reject(new RangeError("gone"))) };
  using clock = chainDeadline(1004, market, signal);
  await settle();
  answers = false;
  at = 4000;
  t.mock.timers.tick(4000);
  await settle();
  assert.equal(clock.expired, true);
});
