import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { priceRules } from "../../../../src/protocol/federated/pay/price.ts";
import { refundOf } from "../../../../src/protocol/federated/pay/refund.ts";
import { sharesOf } from "../../../../src/protocol/federated/pay/shares.ts";
import { accountOf } from "../support.ts";

const token = 10n ** 18n;
const work = { bytes: 0, parameters: 0, rows: 0, epochs: 1, rounds: 1 };

test("HKU's shares: 0.13 is 0.03, 0.02, 0.02 and 0.04 to the hundredth, and every wei is somewhere", () => {
  // Node A has an accuracy of 75 %, B and C of 55 %, D of 95 %.
  const { pool, shares, rest } = sharesOf((13n * token) / 100n, [75n, 55n, 55n, 95n]);
  assert.equal(pool, (1274n * token) / 10_000n);
  assert.deepEqual(shares, [
    34_125_000_000_000_000n,
    25_025_000_000_000_000n,
    25_025_000_000_000_000n,
    43_225_000_000_000_000n,
  ]);
  assert.deepEqual(
    shares.map((share) => share / (token / 100n)),
    [3n, 2n, 2n, 4n],
  );
  assert.equal(rest, (13n * token) / 100n - pool);
  const worth = fc.array(fc.bigInt({ min: 0n, max: 1_000_000n }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 100n }), worth, (price, list) => {
      const split = sharesOf(price, list);
      const given = split.shares.reduce((sum, share) => sum + share, split.rest);
      assert.equal(given, split.refunded ? 0n : price);
      assert.equal(
        split.refunded,
        list.every((one) => one === 0n),
      );
    }),
  );
});

test("HKU's refund: of four, A and B cheat; 0.13 goes back, both are banned, C and D get 0.001 each", () => {
  const deposit = token / 1000n;
  const four = [true, true, false, false].map((proven, i) => ({ account: accountOf(i), deposit, proven }));
  assert.deepEqual(refundOf((13n * token) / 100n, four), {
    refund: 130_000_000_000_000_000n,
    banned: [accountOf(0), accountOf(1)],
    award: 1_000_000_000_000_000n,
    rest: 0n,
  });
});

test("of cheats' deposits every wei is somewhere, and nobody honest loses by them", () => {
  const depositor = fc.record({
    account: fc.integer({ min: 0, max: 1000 }).map(accountOf),
    deposit: fc.bigInt({ min: 0n, max: 2n ** 80n }),
    proven: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(depositor, { maxLength: 12 }), (list) => {
      const { refund, banned, award, rest } = refundOf(7n, list);
      const honest = list.filter(({ proven }) => !proven).length;
      const taken = list.reduce((sum, { deposit, proven }) => (proven ? sum + deposit : sum), 0n);
      assert.equal(award * BigInt(honest) + rest, taken);
      assert.ok(rest >= 0n && (honest === 0 || rest < BigInt(honest)));
      assert.deepEqual([refund, banned.length], [7n, list.length - honest]);
    }),
  );
});

test("a price by size is one token for 10 MB, rounded up", () => {
  const price = (bytes: number) => priceRules.size.price({ ...work, bytes });
  assert.equal(price(10_000_000), token);
  assert.equal(price(1), 10n ** 11n);
  assert.equal(price(0), 0n);
  // The paper's example prints 2.26, which is bytes / 1024 / 10^4; its rule says 2.31.
  assert.equal(price(23_100_000), (231n * token) / 100n);
  assert.equal((23_100_000n * 100n + 1024n * 10_000n - 1n) / (1024n * 10_000n), 226n);
});

test("a price by complexity adds one token for 10^15 operations, six for each parameter and row", () => {
  const half = { bytes: 5_000_000, parameters: 1_000_000, rows: 10_000, epochs: 2, rounds: 20 };
  // 6 · 10^6 · 10^4 · 2 · 20 = 2.4 · 10^12 operations.
  assert.equal(priceRules.complexity.price(half), token / 2n + (24n * token) / 10_000n);
  assert.equal(priceRules.complexity.price(work), 0n);
  assert.equal(priceRules.complexity.price({ ...work, parameters: 1, rows: 1 }), 6000n);
});
