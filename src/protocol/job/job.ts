import { type Address, type Hex, type JobId, sameAddress } from "../ids.ts";
import type { Cause } from "./events.ts";
import type { Measurement } from "./measurement.ts";
import type { JobState, Verdict } from "./state.ts";
import type { Terms } from "./terms.ts";

/** A job as the chain has it, folded from the escrow's events. */
export interface Job {
  readonly id: JobId;
  readonly terms: Terms;
  readonly state: JobState;
  /** Tip of the requester's seeds, as it claims; `terms.secretHash` binds it. */
  readonly seedTip: Hex;
  /** Bundle locator, sealed to the provider. */
  readonly sealedBundle: Hex;
  readonly submission: Submission | undefined;
  readonly validations: readonly Validation[];
  /** The provider's measurement, once revealed. */
  readonly providerMeasurement: Measurement | undefined;
  /** The provider's measurement was revealed in the present round. */
  readonly disclosed: boolean;
  readonly verdict: Verdict;
  /** `SK xor mask`, once the provider has claimed. */
  readonly blindedKey: Hex | undefined;
  /** Unix seconds by which the present state must be left; undefined when final. */
  readonly deadline: number | undefined;
  /** The requester appointed validators itself, which shows that it holds the encrypted result. */
  readonly appointed: boolean;
  /** True while a seat is still to be drawn or a seated validator has not committed or left. */
  readonly committing: boolean;
  /** True while seats wait for a draw to fill them: for the requester's seed, then for the provider's. */
  readonly drawing: boolean;
  /** The requester's seed of the draw under way is known; the provider's is due. */
  readonly seeded: boolean;
  /** Draws ever scheduled, that under way included. */
  readonly draws: number;
  readonly round: Round;
  /** The requester challenged the claim: a panel judges it, and `settle` ends it. */
  readonly challenged: boolean;
  /** The provider has appealed; it can do so once. */
  readonly appealed: boolean;
  /** Why it was refunded. */
  readonly cause: Cause | undefined;
  /** Why it was released or refunded, for people. */
  readonly reason: string | undefined;
  /** End of the log of the run that was given back, sealed to the requester; undefined where there is none. */
  readonly sealedLog: Hex | undefined;
  /** What the provider got of the price of a job that was stopped. */
  readonly paid: bigint | undefined;
  /** 1 to 5, once the requester has rated its provider. */
  readonly providerScore: number | undefined;
  readonly postedBlock: number;
}

/** What a panel of validators is for; the order is `IJob.Round`'s. */
export const rounds = ["first", "challenge", "appeal"] as const;
export type Round = (typeof rounds)[number];

export interface Submission {
  readonly resultRoot: Hex;
  readonly measurementCommitment: Hex;
  readonly keyCommitment: Hex;
  /** Tip of the provider's seeds. */
  readonly seedTip: Hex;
  /** Result locator, sealed to the requester. */
  readonly sealedResult: Hex;
}

export interface Validation {
  readonly validator: Address;
  readonly round: Round;
  /** Chosen by a draw, not by the requester. */
  readonly drawn: boolean;
  /** Validation locator, sealed to this validator. */
  readonly sealed: Hex;
  /** Exam locator, sealed to this validator by the requester; a named one has it in its validation locator. */
  readonly sealedExam: Hex | undefined;
  readonly commitment: Hex | undefined;
  readonly measurement: Measurement | undefined;
  /** It abstained, or lost its seat because it did not commit in time. */
  readonly abstained: boolean;
}

/** The seat of `account`; undefined where it is no validator of the job. */
export function seatOf({ validations }: Job, account: Address): Validation | undefined {
  return validations.find(({ validator }) => sameAddress(validator, account));
}

/** Whether the provider of a posted job let its time to accept pass; `now` in Unix seconds. */
export function wasUnanswered({ state, terms }: Pick<Job, "state" | "terms">, now: number): boolean {
  return state === "Posted" && now > terms.acceptBy;
}

const abandoning: ReadonlySet<Cause | undefined> = new Set(["released", "runMissed", "claimMissed"]);

/** Whether the job ended because its provider gave it back or was lost: no result was judged, and the price came back. */
export function wasAbandoned({ state, cause }: Pick<Job, "state" | "cause">): boolean {
  return state === "Refunded" && abandoning.has(cause);
}

/** What an abandoned job cost, in its token: the fees of the validators that had revealed before its provider was lost. */
export function costOfAbandoned({ validations, terms }: Pick<Job, "validations" | "terms">): bigint {
  const paid = validations.filter(({ measurement }) => measurement !== undefined).length;
  return terms.validatorFee * BigInt(paid);
}
