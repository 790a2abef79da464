import assert from "node:assert/strict";
import { test } from "node:test";
import { marketPrices } from "../../../src/protocol/machine/prices.ts";
import type { Offer } from "../../../src/protocol/offer.ts";

const gpu = [{ model: "H200", memoryBytes: 1, driver: "", count: 1 }];
const offer = (priceFloor: bigint, rest: Partial<Offer> = {}, gpus: Offer["details"]["gpus"] = []): Offer =>
  ({
    ...{ provider: true, banned: false, stake: 2n, lockedStake: 0n, priceFloor },
    details: { tier: "gvisor", gpus, coin: true },
    ...rest,
  }) as Offer;

test("prices are quantiles by tier and GPU of the offers that can be taken", () => {
  const plain = Array.from({ length: 10 }, (_, i) => offer(BigInt(10 - i)));
  const absent = [
    offer(999n, { banned: true }),
    offer(999n, { stake: 0n }),
    offer(999n, { provider: false }),
  ];
  assert.deepEqual(marketPrices([...plain, ...absent, offer(50n, {}, gpu)]), [
    { tier: "gvisor", offers: 10, p10: 1n, median: 5n, p90: 9n },
    { tier: "gvisor", gpu: "H200", offers: 1, p10: 50n, median: 50n, p90: 50n },
  ]);
  assert.deepEqual(marketPrices([]), []);
});
