import { type Shares, sharesOf } from "../../federated/pay/shares.ts";
import type { Address } from "../../ids.ts";
import type { Mix, Trial } from "./trials.ts";

/** Less than this part of what the best peer gave is taken as chance: an exam has so many rows. */
const CHANCE = 10;

/**
 * What each peer's training was worth: by how much the exam's accuracy would be lower without it, summed over the spans,
 * so that chance evens out; 0 for less than a tenth of the most. Millionths; `accuracyOf` likewise.
 */
export function worthOf(
  accounts: readonly Address[],
  trials: readonly Trial[],
  accuracyOf: (mix: Mix) => number,
): ReadonlyMap<Address, number> {
  return withoutChance(poolGainsOf(accounts, trials, accuracyOf));
}

/** The same before chance is taken out: may be negative. */
export function poolGainsOf(
  accounts: readonly Address[],
  trials: readonly Trial[],
  accuracyOf: (mix: Mix) => number,
): ReadonlyMap<Address, number> {
  const sums = new Map(accounts.map((account) => [account, 0]));
  for (const { all, without } of trials) {
    const reached = accuracyOf(all);
    for (const [account, mix] of without) {
      sums.set(account, (sums.get(account) ?? 0) + reached - accuracyOf(mix));
    }
  }
  return sums;
}

/** What counts of what each peer gave, in any unit: nothing where it is below a tenth of the most. */
export function withoutChance(gains: ReadonlyMap<Address, number>): ReadonlyMap<Address, number> {
  const least = Math.max(1, ...gains.values()) / CHANCE;
  return new Map([...gains].map(([account, gain]) => [account, gain < least ? 0 : Math.round(gain)]));
}

/** The pool by worth, as a federated round is paid: 98 % of it, whole units, the rest to who settles. */
export function sharePool(pool: bigint, worth: ReadonlyMap<Address, number>): Shares {
  return sharesOf(
    pool,
    [...worth.values()].map((one) => BigInt(one)),
  );
}
