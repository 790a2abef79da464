import type { Offer } from "../offer.ts";

/** Prices asked for an hour on one kind of machine, wei. */
export interface MarketPrices {
  readonly tier: string;
  /** Model of its first GPU; absent for machines without. */
  readonly gpu?: string | undefined;
  readonly offers: number;
  readonly p10: bigint;
  readonly median: bigint;
  readonly p90: bigint;
}

/** The kind of machine that prices are compared by. */
export const machineKind = ({ tier, gpus }: { tier: string; gpus: readonly { model: string }[] }) => ({
  tier,
  gpu: gpus[0]?.model,
});

/**
 * What providers ask for in the coin, by tier and GPU, most offers first. Quantiles are prices that are asked: the
 * nearest rank. Banned accounts and those without free stake, whose offers nobody can take, do not count.
 */
export function marketPrices(offers: Iterable<Offer>): MarketPrices[] {
  const kinds = new Map<string, { tier: string; gpu?: string | undefined; asked: bigint[] }>();
  for (const { provider, banned, stake, lockedStake, priceFloor, details } of offers) {
    if (!provider || banned || !details.coin || stake <= lockedStake) continue;
    const kind = machineKind(details);
    const name = JSON.stringify(kind);
    const known = kinds.get(name) ?? { ...kind, asked: [] };
    known.asked.push(priceFloor);
    kinds.set(name, known);
  }
  return [...kinds.values()]
    .map(({ tier, gpu, asked }) => {
      const sorted = asked.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      const at = (share: number): bigint =>
        sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as bigint;
      return {
        tier,
        ...(gpu !== undefined && { gpu }),
        offers: asked.length,
        p10: at(0.1),
        median: at(0.5),
        p90: at(0.9),
      };
    })
    .toSorted((a, b) => b.offers - a.offers);
}
