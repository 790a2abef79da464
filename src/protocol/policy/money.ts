import { amountText, COIN } from "../amounts.ts";
import { appealBondOf, PANEL } from "../job/bond.ts";
import { type Terms, WHOLE } from "../job/terms.ts";
import { providerGas } from "./quote.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { coinRate, fromCoin, inCoin, type Tender } from "./tender.ts";
import type { Pace } from "./windows.ts";

/** What a policy needs to know of the chain. */
export interface ChainFacts {
  readonly pace: Pace;
  /** Wei that a transaction sent now offers for a unit of gas, at most. */
  readonly gasPrice: bigint;
  /** Wei that the chain charges now for the data of a provider's calls beside gas; 0 on most chains. */
  readonly dataFee: bigint;
  /** Most that a job may lock of one validator, wei. */
  readonly poolStake: bigint;
}

export type Money = Pick<
  Terms,
  "token" | "price" | "validatorFee" | "providerStake" | "validatorStake" | "validators"
>;

export interface MoneyRule {
  readonly stakePerPrice: number;
  /** Gwei. */
  readonly maxGasPrice: number;
  /** Share of the price that the provider's gas and data may take. */
  readonly gasShare: number;
}

const MICRO = 1_000_000n;
const GWEI = 10n ** 9n;
const micro = (value: number) => BigInt(Math.round(value * 1e6));
const ceilDivide = (a: bigint, b: bigint) => (a + b - 1n) / b;

/**
 * The stakes that a requester asks for, by what price and fee are worth in the coin. The provider's is the price. The
 * smallest set of validators that can deny a pass stakes half of the price together, so that a false measurement costs
 * them; each at least the fee, and at most what a drawn validator can be asked for.
 */
export function stakesOf(
  { price, validatorFee, validators }: Pick<Money, "price" | "validatorFee" | "validators">,
  poolStake: bigint,
  tender: Pick<Tender, "worth" | "decimals"> = coinRate,
): Pick<Money, "providerStake" | "validatorStake"> {
  const providerStake = inCoin(price, tender);
  const fee: bigint = inCoin(validatorFee, tender);
  const share: bigint = shareOf(providerStake, validators);
  const stake = share > fee ? share : fee;
  return { providerStake, validatorStake: stake < poolStake ? stake : poolStake };
}

/** Stake of each validator for which the fewest that can deny a pass stake half of the price together. */
function shareOf(price: bigint, validators: number): bigint {
  return ceilDivide(price, 2n * BigInt(Math.ceil((validators || PANEL) / 2)));
}

/** Where job.yaml has an amount of this tender. */
export function fieldOf(tender: Pick<Tender, "token">, name: "price" | "validatorFee"): string {
  return tender.token === COIN.address ? name : `pay.${name}`;
}

/** Refuses price, stakes and gas that are out of proportion for a provider; stakes and gas are in the coin. */
export function refuseMoney(
  terms: Money,
  rule: MoneyRule,
  tender: Tender,
  chain: ChainFacts,
): Refusal | undefined {
  return refuseStakes(terms, rule, tender, chain) ?? refuseGas(terms, rule, tender, chain);
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
  tender: Tender,
  { poolStake }: ChainFacts,
): Refusal | undefined {
  const { price, providerStake, validatorStake, validators } = terms;
  const worth = inCoin(price, tender);
  if (providerStake * MICRO > worth * micro(stakePerPrice))
    return refuse("STAKE_ABOVE_PRICE", `it asks for more stake than ${stakePerPrice} times its price`);
  const bond = appealBondOf(terms);
  if (bond > price)
    return refuse("BOND_TOO_HIGH", "an appeal would put more at stake than the price", {
      field: fieldOf(tender, "price"),
      value: amountText(bond, tender.decimals),
    });
  if (validators === 0) return undefined;
  const share = shareOf(worth, validators);
  return validatorStake < (share < poolStake ? share : poolStake)
    ? refuse("VALIDATOR_STAKE_TOO_LOW", "its validators put too little at stake")
    : undefined;
}

function refuseGas(
  { price }: Money,
  rule: MoneyRule,
  tender: Tender,
  { gasPrice, dataFee }: ChainFacts,
): Refusal | undefined {
  if (gasPrice * MICRO > micro(rule.maxGasPrice) * GWEI)
    return refuse("GAS_PRICE_TOO_HIGH", `gas costs more than ${rule.maxGasPrice} gwei now`);
  // A provider with a price floor of 0 pays for its gas.
  if (price === 0n) return undefined;
  const { accept, submit, claim } = providerGas;
  const cost = BigInt(accept + submit + claim) * gasPrice + dataFee;
  const share = micro(rule.gasShare);
  if (cost * MICRO <= inCoin(price, tender) * share) return undefined;
  const reason = "its provider's transactions would take too much of the price now";
  if (share === 0n) return refuse("GAS_ABOVE_SHARE", reason);
  return refuse("GAS_ABOVE_SHARE", reason, {
    field: fieldOf(tender, "price"),
    value: amountText(fromCoin(ceilDivide(cost * MICRO, share), tender), tender.decimals),
  });
}
