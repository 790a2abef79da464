import { DEFAULT_POOL_STAKE } from "../../src/chain/deploy.ts";
import { stakesOf } from "../../src/protocol/policy/money.ts";
import type { Terms } from "./rules.ts";

/**
 * What the rules do not say and the table depends on. Shares are of the price unless said otherwise; money is in
 * wei of a coin. docs/incentives.md explains them, and its second table varies them.
 */
export interface Assumptions {
  /** An hour at the policy's default `pricePerHour`. */
  readonly price: bigint;
  /** The policy's default `validationFee`. */
  readonly validatorFee: bigint;
  readonly validators: number;
  /** What doing the work costs its provider. */
  readonly work: number;
  /** What a good result is worth to its requester. */
  readonly value: number;
  /** What measuring a result costs, of the fee. */
  readonly measuring: number;
  /** Wei for one gas. */
  readonly gasPrice: bigint;
  /** How often an honest validator stands down because its machine cannot. */
  readonly outage: number;
  /** Share of the pool that the cheating side holds. */
  readonly share: number;
  /** How often a lazy validator guesses a score within the tolerance. */
  readonly guess: number;
  /** How often a requester that fell silent comes back before the challenge window ends. */
  readonly returns: number;
  /** How often a requester is away when it should appoint. */
  readonly away: number;
  /** How often an optimistic requester sees that a result is wrong: 1 with `audit.check: evaluate`, 0 with `open`. */
  readonly check: number;
  /** How often an evaluation of a flipping task differs. */
  readonly flip: number;
  /** What keeping a provider off the chain for one window costs. */
  readonly dos: number;
  /** What a bought rating is worth to its provider. */
  readonly rating: number;
  /** How often the client names a validator that it could have foreseen. */
  readonly foreseen: number;
  /** Share of the price for confirmed work that falls short or fails, in the jobs that pay any. */
  readonly effort: number;
  /** Part of its run window that a run has used just before it ends. */
  readonly used: number;
  /** Least and greatest share of the price for a stopped run: the client's defaults. */
  readonly stopFloor: number;
  readonly stopCap: number;
}

export const defaults: Assumptions = {
  price: 10n ** 16n,
  validatorFee: 10n ** 15n,
  validators: 1,
  work: 0.6,
  value: 1.5,
  measuring: 0.5,
  gasPrice: 10n ** 9n,
  outage: 0.02,
  share: 0.2,
  guess: 0.1,
  returns: 0.5,
  away: 0.05,
  check: 1,
  flip: 0.5,
  dos: 2,
  rating: 0.2,
  foreseen: 0.2,
  effort: 0.25,
  used: 0.75,
  stopFloor: 0.1,
  stopCap: 1,
};

export type Parameter = Exclude<keyof Assumptions, "price" | "validatorFee" | "gasPrice" | "validators">;

/** With the stakes that the client asks for. */
export function termsOf({ price, validatorFee, ...a }: Assumptions, validators = a.validators): Terms {
  const money = { price, validatorFee, validators };
  // Without pay for short work, as is usual.
  return { ...money, ...stakesOf(money, DEFAULT_POOL_STAKE), effort: 0 };
}

/** A share of an amount, to a millionth. */
export const part = (amount: bigint, share: number): bigint =>
  (amount * BigInt(Math.round(share * 1e6))) / 1_000_000n;

/** Gas of each call in a market in use: `test/contracts/gas.snapshot.json`, the rest `test/contracts/incentives.test.ts`. */
export const gas = {
  ...{ post: 64_000, cancel: 40_000, accept: 42_000, release: 60_000, submit: 47_000, appoint: 77_000 },
  ...{ revealSeed: 40_000, draw: 35_000, drawSeat: 62_000, commit: 40_000, abstain: 45_000, reveal: 51_000 },
  ...{ stop: 70_000, claim: 35_000, challenge: 60_000, appeal: 55_000, settle: 57_000, expire: 70_000 },
  /** On top of the call that ends the job: `pay` where that is `claim`, and for every seat. */
  ...{ pay: 22_000, closeSeat: 25_000 },
} as const;
export type Call = keyof typeof gas;
