import type { Terms } from "./terms.ts";

/** Validators that a challenge or an appeal draws (`JobEscrow.PANEL`). */
export const PANEL = 3;

/** What a challenge or an appeal puts at stake: the panel's fees. */
export function bondOf({ validatorFee }: Pick<Terms, "validatorFee">): bigint {
  return BigInt(PANEL) * validatorFee;
}
