import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type LabelledRow,
  OWNERS_ENTRY,
  replayMarket,
} from "../../../../src/protocol/campaign/models/improvement.ts";
import { SparsePerceptron } from "../../../../src/protocol/campaign/models/perceptron.ts";
import type { Address } from "../../../../src/protocol/ids.ts";

const account = (n: number) => `0x${n.toString(16).padStart(40, "0")}` as Address;
const WORDS = 8;
/** A perceptron that knows nothing: it says 0. */
const start = () => new SparsePerceptron(new Array(WORDS).fill(0n), 0n, 500_000_000n);
const row = (word: number, label: 0 | 1): LabelledRow => ({ words: [word], label });
/** Of each word one: the even are 0, the odd 1. */
const tests = Array.from({ length: WORDS }, (_, i) => row(i, (i % 2) as 0 | 1));
const market = { owner: account(99), bounty: 1000n, leastStake: 10n, tests, start };
const entry = (number: number, stake: bigint, rows: readonly LabelledRow[]) => ({
  ...{ entry: number, author: account(number), stake, rows },
});
const amounts = (payouts: ReturnType<typeof replayMarket>) => payouts.map(({ amount }) => amount);

test("an entry that improves the model is paid its part of the bounty, one that does not gets its stake", () => {
  // After one row of word 1 the bias is in the way of the even words: teaching them costs the next one nothing.
  const good = entry(0, 100n, [row(1, 1), row(0, 0)]);
  const idle = entry(1, 100n, [row(1, 1)]);
  const [first, second, rest] = amounts(replayMarket({ ...market, entries: [good, idle] }));
  const gained = 1000n / BigInt(WORDS);
  assert.deepEqual([first, second, rest], [100n + gained, 100n, 1000n - gained]);
});

test("an entry that worsens the model pays until its stake is gone, and is then replayed without", () => {
  const good = entry(0, 100n, [row(1, 1), row(0, 0)]);
  const bad = entry(1, 100n, [row(1, 0)]);
  const after = entry(2, 100n, []);
  const payouts = replayMarket({ ...market, entries: [good, bad, after] });
  assert.deepEqual(amounts(payouts).slice(0, 3), [225n, 0n, 100n]);
  assert.equal(payouts.at(-1)!.entry, OWNERS_ENTRY);
  // Alone it has nothing to lose but what it takes from the model, and the bounty stays the owner's.
  assert.deepEqual(amounts(replayMarket({ ...market, entries: [] })), [1000n]);
});

test("payouts are bounty and stakes, and none is negative, whatever is added", () => {
  const rows = fc.array(
    fc.record({ words: fc.nat(WORDS - 1).map((word) => [word]), label: fc.constantFrom<0 | 1>(0, 1) }),
    { maxLength: 4 },
  );
  const staked = fc.record({ stake: fc.bigInt({ min: 10n, max: 10_000n }), rows });
  fc.assert(
    fc.property(fc.array(staked, { maxLength: 6 }), fc.bigInt({ min: 1n, max: 100_000n }), (all, bounty) => {
      const entries = all.map(({ stake, rows: own }, i) => entry(i, stake, own));
      const paid = amounts(replayMarket({ ...market, bounty, entries }));
      assert.ok(paid.every((amount) => amount >= 0n));
      const whole = all.reduce((sum, { stake }) => sum + stake, bounty);
      assert.equal(
        paid.reduce((sum, amount) => sum + amount, 0n),
        whole,
      );
    }),
    { numRuns: 300 },
  );
});
