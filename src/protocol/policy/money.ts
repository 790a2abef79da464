import { type Address, sameAddress } from "../ids.ts";
import { appealBondOf, PANEL } from "../job/bond.ts";
import type { Terms } from "../job/terms.ts";
import { coinText } from "../quantity.ts";
import { providerGas } from "./quote.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { Pace } from "./windows.ts";

/** What the chain says beside a job's terms. */
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
  /** Of the price, for the provider's gas. */
  readonly gasShare: number;
}

const MICRO = 1_000_000n;
const GWEI = 10n ** 9n;
const micro = (value: number) => BigInt(Math.round(value * 1e6));
const ceilDivide = (a: bigint, b: bigint) => (a + b - 1n) / b;

/**
 * The stakes that a requester asks for: the provider's as high as the price, and from as many validators as can deny
 * a pass half of the price together, so that a false word costs them; never less than the fee, nor more than a drawn
 * validator can be asked for.
 */
export function stakesOf(
  { price, validatorFee, validators }: Pick<Money, "price" | "validatorFee" | "validators">,
  poolStake: bigint,
): Pick<Money, "providerStake" | "validatorStake"> {
  const share = shareOf(price, validators);
  const wanted = share > validatorFee ? share : validatorFee;
  return { providerStake: price, validatorStake: wanted < poolStake ? wanted : poolStake };
}

/** What each of a panel puts at stake for half of the price to hang on the fewest that keep it from passing. */
function shareOf(price: bigint, validators: number): bigint {
  return ceilDivide(price, 2n * BigInt(Math.ceil((validators || PANEL) / 2)));
}

export function refuseToken(
  { token }: Pick<Money, "token">,
  tokens: readonly Address[],
): Refusal | undefined {
  return tokens.some((one) => sameAddress(one, token))
    ? undefined
    : refuse("TOKEN_UNKNOWN", `it pays in ${token}, which is not among the tokens taken`);
}

/**
 * Whether money is out of proportion for a provider. Amounts of a token are held against amounts of the coin unit for
 * unit: a policy that lists a token says that they are worth about the same.
 */
export function refuseMoney(terms: Money, rule: MoneyRule, chain: ChainFacts): Refusal | undefined {
  return refuseToken(terms, rule.tokens) ?? refuseStakes(terms, rule, chain) ?? refuseGas(terms, rule, chain);
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
    ? refuse("VALIDATOR_STAKE_TOO_LOW", "its validators put too little at stake to be held to their word")
    : undefined;
}

function refuseGas({ price }: Money, rule: MoneyRule, { gasPrice }: ChainFacts): Refusal | undefined {
  if (gasPrice * MICRO > micro(rule.maxGasPrice) * GWEI)
    return refuse("GAS_PRICE_TOO_HIGH", `gas costs more than ${rule.maxGasPrice} gwei now`);
  // Who works for nothing has a price floor of nothing, and does not expect its gas back.
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
