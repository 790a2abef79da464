import { type Address, sameAddress } from "../ids.ts";
import { appealBondOf, PANEL } from "../job/bond.ts";
import { type Terms, WHOLE } from "../job/terms.ts";
import { coinText } from "../quantity.ts";
import { providerGas } from "./quote.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { Pace } from "./windows.ts";

/** What a policy needs to know of the chain. */
export interface ChainFacts {
  readonly pace: Pace;
  /** Wei that a transaction sent now offers for a unit of gas, at most. */
  readonly gasPrice: bigint;
  /** Most that a job may lock of one validator, wei. */
  readonly poolStake: bigint;
}

export type Money = Pick<
  Terms,
  "token" | "price" | "validatorFee" | "providerStake" | "validatorStake" | "validators"
>;

export interface MoneyRule {
  readonly tokens: readonly Address[];
  readonly stakePerPrice: number;
  /** Gwei. */
  readonly maxGasPrice: number;
  /** Share of the price that the provider's gas may take. */
  readonly gasShare: number;
}

const MICRO = 1_000_000n;
const GWEI = 10n ** 9n;
const micro = (value: number) => BigInt(Math.round(value * 1e6));
const ceilDivide = (a: bigint, b: bigint) => (a + b - 1n) / b;

/**
 * The stakes that a requester asks for. The provider's is the price. The smallest set of validators that can deny a pass
 * stakes half of the price together, so that a false measurement costs them; each at least the fee, and at most what a
 * drawn validator can be asked for.
 */
export function stakesOf(
  { price, validatorFee, validators }: Pick<Money, "price" | "validatorFee" | "validators">,
  poolStake: bigint,
): Pick<Money, "providerStake" | "validatorStake"> {
  const share = shareOf(price, validators);
  const stake = share > validatorFee ? share : validatorFee;
  return { providerStake: price, validatorStake: stake < poolStake ? stake : poolStake };
}

/** Stake of each validator for which the fewest that can deny a pass stake half of the price together. */
function shareOf(price: bigint, validators: number): bigint {
  return ceilDivide(price, 2n * BigInt(Math.ceil((validators || PANEL) / 2)));
}

export function refuseToken(
  { token }: Pick<Money, "token">,
  tokens: readonly Address[],
): Refusal | undefined {
  return tokens.some((one) => sameAddress(one, token))
    ? undefined
    : refuse("TOKEN_UNKNOWN", `it pays in ${token}, which is not among the accepted tokens`);
}

/**
 * Refuses price, stakes and gas that are out of proportion for a provider. Compares amounts of a token and of the coin
 * unit for unit: a policy lists only tokens of about the coin's value.
 */
export function refuseMoney(terms: Money, rule: MoneyRule, chain: ChainFacts): Refusal | undefined {
  return refuseToken(terms, rule.tokens) ?? refuseStakes(terms, rule, chain) ?? refuseGas(terms, rule, chain);
}

/** Refuses shares of the price, for work short of the threshold and for a stopped run, that are too small. */
export function refuseShares(
  { effort, stop }: Pick<Terms, "effort" | "stop">,
  least: { readonly effort: number; readonly stop: { readonly floor: number; readonly cap: number } },
): Refusal | undefined {
  const low = (share: number, wanted: number) => share < Math.round(wanted * WHOLE);
  if (low(effort, least.effort))
    return refuse("EFFORT_TOO_LOW", "it pays too little for work that is short of the threshold, or fails", {
      field: "effort",
      value: String(least.effort),
    });
  const bound = low(stop.floor, least.stop.floor)
    ? "floor"
    : low(stop.cap, least.stop.cap)
      ? "cap"
      : undefined;
  if (bound === undefined) return undefined;
  return refuse("STOP_SHARE_TOO_LOW", "it pays too little when it is stopped", {
    field: `stop.${bound}`,
    value: String(least.stop[bound]),
  });
}

function refuseStakes(
  terms: Money,
  { stakePerPrice }: MoneyRule,
  { poolStake }: ChainFacts,
): Refusal | undefined {
  const { price, providerStake, validatorStake, validators } = terms;
  if (providerStake * MICRO > price * micro(stakePerPrice))
    return refuse("STAKE_ABOVE_PRICE", `it asks for more stake than ${stakePerPrice} times its price`);
  const bond = appealBondOf(terms);
  if (bond > price)
    return refuse("BOND_TOO_HIGH", "an appeal would put more at stake than the price", {
      field: "price",
      value: coinText(bond),
    });
  if (validators === 0) return undefined;
  const share = shareOf(price, validators);
  return validatorStake < (share < poolStake ? share : poolStake)
    ? refuse("VALIDATOR_STAKE_TOO_LOW", "its validators put too little at stake")
    : undefined;
}

function refuseGas({ price }: Money, rule: MoneyRule, { gasPrice }: ChainFacts): Refusal | undefined {
  if (gasPrice * MICRO > micro(rule.maxGasPrice) * GWEI)
    return refuse("GAS_PRICE_TOO_HIGH", `gas costs more than ${rule.maxGasPrice} gwei now`);
  // A provider with a price floor of 0 pays for its gas.
  if (price === 0n) return undefined;
  const { accept, submit, claim } = providerGas;
  const cost = BigInt(accept + submit + claim) * gasPrice;
  const share = micro(rule.gasShare);
  if (cost * MICRO <= price * share) return undefined;
  const reason = "its provider's gas would take too much of the price now";
  if (share === 0n) return refuse("GAS_ABOVE_SHARE", reason);
  return refuse("GAS_ABOVE_SHARE", reason, {
    field: "price",
    value: coinText(ceilDivide(cost * MICRO, share)),
  });
}
