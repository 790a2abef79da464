import type { Terms } from "./terms.ts";

/** Validators that a challenge or an appeal draws (`JobEscrow.PANEL`). */
export const PANEL = 3;

/** Percent of a slashed provider's stake that the requester may get (`JobEscrow.COMPENSATION_PERCENT`). */
export const COMPENSATION_PERCENT = 10n;

/** Bond of an appeal: the panel's fees. In the terms' token. */
export function appealBondOf({ validatorFee }: Pick<Terms, "validatorFee">): bigint {
  return BigInt(PANEL) * validatorFee;
}

/** Bond of a challenge: the panel's fees, and half of the price, which is burnt when the challenge is lost. In the token. */
export function challengeBondOf(terms: Pick<Terms, "validatorFee" | "price">): bigint {
  return appealBondOf(terms) + terms.price / 2n;
}

/** What the requester gets of a slashed provider's stake for its lost time, in the coin. */
export function compensationOf({ providerStake }: Pick<Terms, "providerStake">): bigint {
  return (providerStake * COMPENSATION_PERCENT) / 100n;
}
