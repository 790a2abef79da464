import { randomInt } from "node:crypto";
import type { Address } from "../../../../protocol/ids.ts";
import type { Offer } from "../../../../protocol/offer.ts";
import type { Audit } from "../../../../protocol/policy/audit.ts";
import { goodValidators } from "../../../../protocol/policy/match.ts";
import type { JobFile } from "../../../../protocol/task/spec.ts";
import { type Candidates, makePlan, type Plan, seatsOf } from "./plan.ts";

/** Who picks the parties of a job; `among` has the best first, and is never empty. */
export interface Chooser {
  provider(among: readonly Offer[]): Promise<Offer> | Offer;
  /** `seats` in all; this is the seat counted from 0. */
  validator(among: readonly Offer[], seat: number, seats: number): Promise<Offer> | Offer;
}

/** Picks the best provider, and of the good validators any. */
export function bestOf({ seatStanding }: Pick<Candidates, "seatStanding">) {
  return {
    provider: (among: readonly Offer[]): Offer => among[0]!,
    /** By chance, so that a provider cannot foresee who will validate it, and be that validator too. */
    validator: (among: readonly Offer[]): Offer => {
      const good = goodValidators(among, seatStanding);
      return good[randomInt(good.length)]!;
    },
  } satisfies Chooser;
}

/**
 * Settles on a provider and its validators. `auditOf` decides, once the provider is known, whether it is validated.
 * @throws what `makePlan` throws
 */
export async function choosePlan(
  file: JobFile,
  candidates: Candidates,
  chooser: Chooser,
  auditOf: (provider: Address) => Promise<Audit>,
): Promise<Plan> {
  const provider = await chooser.provider(candidates.providers);
  const audit = await auditOf(provider.account);
  const seats = seatsOf(file, audit);
  const fit = candidates.validatorsFor(provider);
  let left = fit;
  const validators: Offer[] = [];
  for (let seat = 0; seat < seats && left.length > 0; seat += 1) {
    const validator = await chooser.validator(left, seat, seats);
    validators.push(validator);
    left = left.filter((offer) => offer !== validator);
  }
  return makePlan(file, candidates, { provider, validators, fit, audit });
}
