import { type Address, ZERO_ADDRESS } from "./ids.ts";

/** A means of payment, as its contract describes it. */
export interface TokenInfo {
  /** The zero address for the chain's own coin. */
  readonly address: Address;
  /** Safe to print. */
  readonly symbol: string;
  /** Digits after the point of one whole token, at most `MAX_DECIMALS`. */
  readonly decimals: number;
}

/** The chain's own coin. */
export const COIN: TokenInfo = { address: ZERO_ADDRESS, symbol: "coin", decimals: 18 };

/** A decimal amount as people write it. */
export const AMOUNT = /^\d{1,24}(\.\d{1,36})?$/;

/** `"12.5"` with six decimals → 12500000; undefined when `text` is no amount or has more decimals. */
export function parseAmount(text: string, decimals: number): bigint | undefined {
  if (!AMOUNT.test(text)) return undefined;
  const [whole = "0", fraction = ""] = text.split(".");
  if (fraction.length > decimals) return undefined;
  return BigInt(whole + fraction.padEnd(decimals, "0"));
}

/** An amount in the notation of job.yaml, exact: `0.05`; negative ones with a sign. */
export function amountText(amount: bigint, decimals: number): string {
  const sign = amount < 0n ? "-" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  const fraction = digits.slice(point).replace(/0+$/, "");
  return `${sign}${digits.slice(0, point)}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Wei as an amount of coin in the notation of job.yaml. */
export function coinText(amount: bigint): string {
  return amountText(amount, COIN.decimals);
}
