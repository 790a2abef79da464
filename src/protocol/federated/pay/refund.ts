import type { Address } from "../../ids.ts";

export interface Depositor {
  readonly account: Address;
  /** What it locked, in the coin's smallest unit. */
  readonly deposit: bigint;
  /** True: a replay proved that it cheated. */
  readonly proven: boolean;
}

/** What becomes of a job's money where a proven cheat ends it. */
export interface Refund {
  /** Back to the requester. */
  readonly refund: bigint;
  /** Accounts that may not take part again. */
  readonly banned: readonly Address[];
  /** What each of the others gets of the cheats' deposits, beside its own. */
  readonly award: bigint;
  /** What is left of those deposits, for the treasury: remainders, or all where nobody was honest. */
  readonly rest: bigint;
}

/**
 * HKU's rule for a job in which somebody cheated (`onCheat: refund`): no model, all that is unpaid of the price goes back,
 * cheats are banned, and their deposits are shared equally among the others.
 */
export function refundOf(unpaid: bigint, depositors: readonly Depositor[]): Refund {
  const cheats = depositors.filter(({ proven }) => proven);
  const honest = BigInt(depositors.length - cheats.length);
  const taken = cheats.reduce((sum, { deposit }) => sum + deposit, 0n);
  const award = honest === 0n ? 0n : taken / honest;
  return {
    refund: unpaid,
    banned: cheats.map(({ account }) => account),
    award,
    rest: taken - award * honest,
  };
}
