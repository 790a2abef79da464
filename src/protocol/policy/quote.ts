import { challengeBondOf, compensationOf } from "../job/bond.ts";
import { shareOf, type Terms } from "../job/terms.ts";

/** What a job costs its requester if it ends in one way; gas comes on top. */
export interface Branch {
  /** Stable, for scripts. */
  readonly outcome: string;
  readonly meaning: string;
  /** Smallest unit of the token, at most; negative where the requester ends with more than it had. */
  readonly loss: bigint;
  /** Seconds from posting, at most. */
  readonly seconds: number;
}

type Quoted = Pick<Terms, "price" | "validatorFee" | "providerStake" | "validators" | "effort" | "stop"> & {
  readonly windows: Terms["windows"] & { readonly accept: number };
};

/**
 * Every way in which a job with these terms can end, and the requester's largest loss in it (contracts:
 * `EscrowPanel.sol`). Validators that reveal are paid, whatever they measured.
 */
export function branchesOf(terms: Quoted): readonly Branch[] {
  const { price, windows } = terms;
  const late = windows.accept + windows.run;
  // Seats of validators that leave are filled once.
  const draw = 2 * windows.reveal;
  const measured = 2 * windows.commit + draw + 2 * windows.reveal;
  // When the requester appoints no validator the provider has a window to draw.
  const judged = late + windows.appoint + windows.claim + measured;
  const compensation = compensationOf(terms);
  const early: Branch[] = [
    branch("cancelled", "no provider accepts it in time", 0n, windows.accept),
    branch("released", "the provider gives it back", 0n, late),
    branch("stopped", "you stop its run: you pay by the time used", shareOf(price, terms.stop.cap), late),
    branch("late", "the provider submits nothing: a tenth of its stake is yours", -compensation, late),
  ];
  if (terms.validators > 0) {
    const fees = BigInt(terms.validators) * terms.validatorFee;
    return [
      ...early,
      branch("settled", "the result is confirmed and paid for", price + fees, judged + windows.claim),
      branch(
        "unclaimed",
        "it is confirmed, but the provider does not publish its key",
        fees - compensation,
        judged + windows.claim,
      ),
      branch("rejected", "validators reject it", fees, judged + windows.appeal),
      branch(
        "unmet",
        "it is confirmed, and does not reach the threshold, or its failure is confirmed",
        fees + shareOf(price, terms.effort),
        judged + windows.appeal,
      ),
      branch(
        "overruled",
        "a rejection, or the lack of a verdict, is overturned by an appeal",
        price + fees,
        judged + windows.appeal + draw + measured + windows.claim,
      ),
      branch("inconclusive", "the validators come to no verdict", fees, judged + windows.appeal),
    ];
  }
  const bond = challengeBondOf(terms);
  const panelFees = bond - price / 2n;
  const claimed = late + windows.claim;
  const disputed = claimed + windows.challenge + draw + measured;
  return [
    ...early,
    branch(
      "unclaimed",
      "the provider does not publish its key: a tenth of its stake is yours",
      -compensation,
      claimed,
    ),
    branch(
      "settled",
      "the result is paid for after the challenge window",
      price,
      claimed + windows.challenge,
    ),
    branch(
      "challenge-won",
      "you win a challenge: a tenth of the stake is yours",
      panelFees - compensation,
      disputed + windows.appeal + draw + measured,
    ),
    branch("challenge-lost", "you lose a challenge, and its bond", price + bond, disputed),
    branch(
      "challenge-open",
      "a challenge gets no verdict, and the claim stands",
      price + panelFees,
      disputed,
    ),
  ];
}

/** The largest loss of any ending. */
export function worstLoss(branches: readonly Branch[]): bigint {
  let worst = 0n;
  for (const { loss } of branches) if (loss > worst) worst = loss;
  return worst;
}

function branch(outcome: string, meaning: string, loss: bigint, seconds: number): Branch {
  return { outcome, meaning, loss, seconds };
}

/** Gas of a requester's calls in steady state, rounded; a test compares it with `test/contracts/gas.snapshot.json`. */
export const requesterGas = {
  post: 65_000,
  postWithPermit: 109_000,
  appoint: 77_000,
  settle: 57_000,
  rate: 43_000,
} as const;

/** The same of a provider's calls when all goes well. */
export const providerGas = { accept: 42_000, submit: 47_000, claim: 82_000 } as const;

/** Gas that the requester of a job pays when all goes well: post, then appoint or settle, then rate. */
export function gasOf({ validators, permit }: Pick<Terms, "validators"> & { permit: boolean }): number {
  const { post, postWithPermit, appoint, settle, rate } = requesterGas;
  return (permit ? postWithPermit : post) + (validators > 0 ? appoint : settle) + rate;
}

/** Of a transaction beside its call: signature, nonce, fees, addresses. */
const ENVELOPE = 120;
/** Bytes of the requester's calls, with sealed locators of 512 bytes. */
const requesterBytes = {
  post: 996,
  postWithPermit: 1_124,
  appoint: 452,
  validator: 640,
  settle: 484,
  rate: 452,
};

/** Sizes of the transactions of `gasOf`, bytes, for chains that charge for data. */
export function dataSizesOf({
  validators,
  permit,
}: Pick<Terms, "validators"> & { permit: boolean }): readonly number[] {
  const { post, postWithPermit, appoint, validator, settle, rate } = requesterBytes;
  const judged = validators > 0 ? appoint + validators * validator : settle;
  return [permit ? postWithPermit : post, judged, rate].map((bytes) => bytes + ENVELOPE);
}

/** Sizes of a provider's three transactions when all goes well, bytes, where eight validators had a seat. */
export const providerDataSizes: readonly number[] = [388, 1092, 804].map((bytes) => bytes + ENVELOPE);
