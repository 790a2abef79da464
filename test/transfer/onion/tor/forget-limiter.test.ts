import assert from "node:assert/strict";
import { test } from "node:test";
import { ForgetLimiter } from "../../../../src/transfer/onion/tor/forget-limiter.ts";

const HOUR_S = 3600;

/** Asks for `address` every second of `hours`; the seconds at which it was granted. */
function granted(limiter: ForgetLimiter, clock: { s: number }, address: string, hours: number): number[] {
  const times: number[] = [];
  for (const end = clock.s + hours * HOUR_S; clock.s < end; clock.s++)
    if (limiter.admit(address)) times.push(clock.s);
  return times;
}

test("tor's caches are cleared for one onion seven times in the first hour, then twice an hour", () => {
  const clock = { s: 0 };
  const limiter = new ForgetLimiter(() => clock.s * 1000);
  assert.deepEqual(granted(limiter, clock, "a", 1), [0, 11, 44, 143, 440, 1331, 3131]);
  assert.equal(granted(limiter, clock, "a", 10).length, 20);
});

test("each onion has its own limit, which an hour without a clearing resets", () => {
  const clock = { s: 0 };
  const limiter = new ForgetLimiter(() => clock.s * 1000);
  granted(limiter, clock, "a", 1);
  assert.deepEqual([limiter.admit("a"), limiter.admit("b"), limiter.admit("b")], [false, true, false]);
  clock.s += HOUR_S;
  assert.equal(limiter.admit("a"), true);
  clock.s += 11;
  assert.equal(limiter.admit("a"), true);
});

test("a bounded number of onions is remembered", () => {
  const limiter = new ForgetLimiter(() => 0);
  for (let n = 0; n < 5000; n++) assert.equal(limiter.admit(`onion-${n}`), true);
  assert.equal(limiter.admit("onion-4999"), false);
  assert.equal(limiter.admit("onion-0"), true, "the oldest are dropped");
});
