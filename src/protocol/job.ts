import type { Cause } from "./events.ts";
import type { Address, Hex, JobId } from "./ids.ts";
import type { Measurement } from "./measurement.ts";
import type { JobState, Verdict } from "./state.ts";
import type { Terms } from "./terms.ts";

/** A job as the chain tells it, folded from the escrow's events. */
export interface Job {
  readonly id: JobId;
  readonly terms: Terms;
  readonly state: JobState;
  /** Bundle locator, sealed to the provider. */
  readonly sealedBundle: Hex;
  readonly submission: Submission | undefined;
  readonly validations: readonly Validation[];
  /** The provider's measurement, once revealed. */
  readonly providerMeasurement: Measurement | undefined;
  readonly verdict: Verdict;
  /** `SK xor mask`, once the provider has claimed. */
  readonly blindedKey: Hex | undefined;
  /** Unix seconds by which the present state must be left; undefined when final. */
  readonly deadline: number | undefined;
  /** The requester appointed validators itself, which says that it holds the encrypted result. */
  readonly appointed: boolean;
  /** True while a seat is still to be drawn or a seated validator has not committed or left. */
  readonly committing: boolean;
  /** True while seats wait for a draw to fill them. */
  readonly drawing: boolean;
  /** The requester challenged the claim: it is judged after all, and `settle` ends it. */
  readonly challenged: boolean;
  /** The provider appealed against a rejection, which it can do once. */
  readonly appealed: boolean;
  /** Why it was refunded. */
  readonly cause: Cause | undefined;
  /** Why it was released or refunded, for people. */
  readonly reason: string | undefined;
  readonly postedBlock: number;
}

export interface Submission {
  readonly resultRoot: Hex;
  readonly measurementCommitment: Hex;
  readonly keyCommitment: Hex;
  /** Result locator, sealed to the requester. */
  readonly sealedResult: Hex;
}

export interface Validation {
  readonly validator: Address;
  /** Validation locator, sealed to this validator. */
  readonly sealed: Hex;
  readonly commitment: Hex | undefined;
  readonly measurement: Measurement | undefined;
  /** It stood down, or lost its seat because it did not commit in time. */
  readonly abstained: boolean;
}
