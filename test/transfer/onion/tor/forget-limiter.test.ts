import assert from "node:assert/strict";
import { test } from "node:test";
import { ForgetLimiter } from "../../../../src/transfer/onion/tor/forget-limiter.ts";

const HOUR_S = 3600;

/** Asks for `address` every second of `hours`; the seconds at which it was granted. */
function granted(doubts: ForgetLimiter, clock: { s: number }, address: string, hours: number): number[] {
  const times: number[] = [];
  for (const end = clock.s + hours * HOUR_S; clock.s < end; clock.s++)
    if (doubts.admit(address)) times.push(clock.s);
  return times;
}

test("tor is made to forget for one onion seven times in an hour, then twice, however often it is asked", () => {
  const clock = { s: 0 };
  const doubts = new ForgetLimiter(() => clock.s * 1000);
  assert.deepEqual(granted(doubts, clock, "a", 1), [0, 11, 44, 143, 440, 1331, 3131]);
  assert.equal(granted(doubts, clock, "a", 10).length, 20);
});

test("one onion that is doubted takes nothing from another, and an hour of calm makes good", () => {
  const clock = { s: 0 };
  const doubts = new ForgetLimiter(() => clock.s * 1000);
  granted(doubts, clock, "a", 1);
  assert.deepEqual([doubts.admit("a"), doubts.admit("b"), doubts.admit("b")], [false, true, false]);
  clock.s += HOUR_S;
  assert.equal(doubts.admit("a"), true);
  clock.s += 11;
  assert.equal(doubts.admit("a"), true);
});

test("what is kept in mind of them has an end", () => {
  const doubts = new ForgetLimiter(() => 0);
  for (let n = 0; n < 5000; n++) assert.equal(doubts.admit(`onion-${n}`), true);
  assert.equal(doubts.admit("onion-4999"), false);
  assert.equal(doubts.admit("onion-0"), true, "forgotten again");
});
