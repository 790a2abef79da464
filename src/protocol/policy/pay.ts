import { IchainError } from "../../errors/error.ts";
import { parseAmount, type TokenInfo } from "../amounts.ts";
import type { JobFile } from "../task/spec.ts";
import { MAX_AMOUNT } from "../token.ts";

/** What a job pays in, and what its job.yaml fixes of it; amounts in the token's smallest unit. */
export interface Pay {
  readonly token: TokenInfo;
  readonly price?: bigint | undefined;
  readonly validatorFee?: bigint | undefined;
  /** Least wei that the provider must count one whole token as. */
  readonly worth?: bigint | undefined;
}

/**
 * What job.yaml says of the pay, in units of `token`, the one that it names.
 * @throws JOB_INVALID for an amount with more decimals than the token has, or beyond what the contract holds
 */
export function payOf(
  { pay, price, validatorFee }: Pick<JobFile, "pay" | "price" | "validatorFee">,
  token: TokenInfo,
): Pay {
  if (pay === undefined) return { token, price, validatorFee };
  const amount = (name: "price" | "validatorFee"): bigint | undefined => {
    const text = pay[name];
    if (text === undefined) return undefined;
    const found = parseAmount(text, token.decimals);
    if (found !== undefined && found < MAX_AMOUNT) return found;
    const problem = found === undefined ? `has more than ${token.decimals} decimals` : "is too large";
    throw new IchainError("JOB_INVALID", `pay.${name}: ${text} ${token.symbol} ${problem}.`, {
      hint: `Write an amount with at most ${token.decimals} decimals, which is what the token has.`,
    });
  };
  return { token, price: amount("price"), validatorFee: amount("validatorFee"), worth: pay.worth };
}
