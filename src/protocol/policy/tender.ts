import { z } from "zod";
import { IchainError } from "../../errors/error.ts";
import { COIN, parseAmount, type TokenInfo } from "../amounts.ts";
import { type Address, sameAddress } from "../ids.ts";
import type { Offer } from "../offer.ts";
import { amountSchema, coinSchema } from "../quantity.ts";
import { tokenRefSchema } from "../token.ts";

/** A token and what is asked for in it; floors that are absent follow from those in the coin. */
export const tokenRuleSchema = z.strictObject({
  token: tokenRefSchema.describe("A token's name in the network file, or its address"),
  worth: coinSchema
    .refine((wei) => wei > 0n, "must be more than 0")
    .describe("What one whole token counts as, in the coin: stakes and gas are in the coin"),
  pricePerHour: amountSchema
    .optional()
    .describe(
      "Least price for an hour of the run window, in the token; when absent, that of the coin by `worth`",
    ),
  validationFee: amountSchema
    .optional()
    .describe("Least fee for a validation, in the token; when absent, that of the coin by `worth`"),
});
export type TokenRule = z.infer<typeof tokenRuleSchema>;

/** A means of payment as one party takes it: what it asks for in it, and what it counts as. */
export interface Tender {
  readonly token: Address;
  readonly decimals: number;
  /** Wei of the coin that one whole token counts as: stakes and gas are in the coin. */
  readonly worth: bigint;
  /** Least price of an hour of the run window, smallest unit of the token. */
  readonly pricePerHour: bigint;
  /** Least fee of a validation. */
  readonly validationFee: bigint;
}

const one = (decimals: number) => 10n ** BigInt(decimals);

/** The coin counts as itself. */
export const coinRate = { worth: one(COIN.decimals), decimals: COIN.decimals } as const;

/** The coin itself, with these floors. */
export function coinTender({
  pricePerHour,
  validationFee,
}: Pick<Tender, "pricePerHour" | "validationFee">): Tender {
  return { token: COIN.address, ...coinRate, pricePerHour, validationFee };
}

/** What an offer asks for in `token`; undefined when it does not take it. */
export function tenderOf(
  { priceFloor, feeFloor, details }: Pick<Offer, "priceFloor" | "feeFloor" | "details">,
  { address, decimals }: TokenInfo,
): Tender | undefined {
  if (address === COIN.address)
    return details.coin ? coinTender({ pricePerHour: priceFloor, validationFee: feeFloor }) : undefined;
  const taken = details.tokens.find(({ token }) => sameAddress(token, address));
  return (
    taken && {
      ...{ token: address, decimals, worth: BigInt(taken.worth) },
      ...{ pricePerHour: BigInt(taken.pricePerHour), validationFee: BigInt(taken.validationFee) },
    }
  );
}

/**
 * What a policy asks for in `token` by this rule; floors that it leaves out are worth those in the coin.
 * @throws POLICY_INVALID for a floor with more decimals than the token has
 */
export function tenderBy(
  { worth, ...floors }: TokenRule,
  { address, symbol, decimals }: TokenInfo,
  inTheCoin: Pick<Tender, "pricePerHour" | "validationFee">,
): Tender {
  const floor = (name: "pricePerHour" | "validationFee"): bigint => {
    const text = floors[name];
    if (text === undefined) return fromCoin(inTheCoin[name], { worth, decimals });
    const amount = parseAmount(text, decimals);
    if (amount !== undefined) return amount;
    throw new IchainError(
      "POLICY_INVALID",
      `The policy's ${name} ${text} has more decimals than ${symbol}, which has ${decimals}.`,
    );
  };
  const [pricePerHour, validationFee] = [floor("pricePerHour"), floor("validationFee")];
  return { token: address, decimals, worth, pricePerHour, validationFee };
}

/** What `amount` of the token counts as, wei, rounded down. */
export function inCoin(amount: bigint, { worth, decimals }: Pick<Tender, "worth" | "decimals">): bigint {
  return (amount * worth) / one(decimals);
}

/** The least amount of the token that counts as `wei`. */
export function fromCoin(wei: bigint, { worth, decimals }: Pick<Tender, "worth" | "decimals">): bigint {
  return (wei * one(decimals) + worth - 1n) / worth;
}

/** Price that is asked for a run window of `seconds`, rounded up; smallest unit of the token. */
export function floorPrice({ pricePerHour }: Pick<Tender, "pricePerHour">, seconds: number): bigint {
  return (pricePerHour * BigInt(seconds) + 3599n) / 3600n;
}
