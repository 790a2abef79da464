import type { AbortOptions } from "../../async/abort.ts";
import type { LedgerDomain } from "../../protocol/federated/ledger/record.ts";
import type { Closing } from "../../protocol/federated/market/closing.ts";
import type { Invitation, Strike } from "../../protocol/federated/market/events.ts";
import type { FederatedJob } from "../../protocol/federated/market/job.ts";
import type { FederatedTerms } from "../../protocol/federated/market/terms.ts";
import type { Address, Hex, JobId } from "../../protocol/ids.ts";

/** A seat's signature of a closing or a strike. */
export interface Approval {
  readonly seat: Address;
  readonly signature: Hex;
}

/** What an account earned, as the tree below a closing's `payRoot` has it. */
export interface Payout {
  readonly account: Address;
  /** In all rounds up to the closing's, smallest unit. */
  readonly earned: bigint;
  readonly proof: readonly Hex[];
}

/** A call about one federated job; `IFederatedCourse` and `IFederatedExceptions` say who may make it, and when. */
export type FederatedCall =
  /** `sealed`: the locator for the seats. */
  | { kind: "postFederated"; federated: { readonly terms: FederatedTerms }; sealed: Hex }
  | {
      kind: "enlist";
      federated: FederatedJob;
      /** The requester's signature (`admissionTypes`). */
      admission: Hex;
    }
  | { kind: "invite"; federated: FederatedJob; invitation: Invitation }
  | { kind: "begin"; federated: FederatedJob }
  /** `seed`: the requester's, for the draw. */
  | { kind: "seat"; federated: FederatedJob; seed: Hex }
  | { kind: "assertUpload"; federated: FederatedJob; upload: Hex }
  /** `approvals`: of a majority of the seats, in any order; none where the requester closes. */
  | { kind: "closeRound"; federated: FederatedJob; closing: Closing; approvals: readonly Approval[] }
  /** Credits accounts with what the closing of `round` says. */
  | { kind: "claimPay"; federated: FederatedJob; round: number; payouts: readonly Payout[] }
  | { kind: "stopFederated"; federated: FederatedJob }
  | { kind: "expireFederated"; federated: FederatedJob }
  /** Frees or slashes the stakes of all members that still have one in the job. */
  | { kind: "releaseStakes"; federated: FederatedJob }
  | { kind: "sweepPay"; federated: FederatedJob }
  | { kind: "strike"; federated: FederatedJob; strike: Strike; approvals: readonly Approval[] }
  /** Disputes the closing of `round`. */
  | { kind: "challengeRound"; federated: FederatedJob; round: number }
  /** Disputes the strike against `about`, the caller. */
  | { kind: "appealStrike"; federated: FederatedJob; about: Address }
  | {
      kind: "empanel" | "concludeDispute";
      federated: FederatedJob;
      /** Who appealed; undefined for a closing. */
      about: Address | undefined;
    }
  | { kind: "commitFinding"; federated: FederatedJob; about: Address | undefined; commitment: Hex }
  | {
      kind: "revealFinding";
      federated: FederatedJob;
      about: Address | undefined;
      finding: Hex;
      salt: Hex;
    }
  | { kind: "rateFederated"; federated: FederatedJob; subject: Address; score: number };

export interface FederatedFilter {
  readonly requester?: Address;
  /** Has enlisted. */
  readonly provider?: Address;
  /** Has a seat, or was drawn for a panel. */
  readonly validator?: Address;
  /** Was invited. */
  readonly invited?: Address;
}

/** Reads of federated jobs; a network without their escrow has none. */
export interface FederatedReader {
  /**
   * The id that `postFederated` of these terms will have.
   * @throws CONTRACTS_MISSING
   */
  federatedJobIdOf(terms: FederatedTerms): JobId;
  /** @throws JOB_UNKNOWN */
  federatedJob(id: JobId, options?: AbortOptions): Promise<FederatedJob>;
  /** In the order of their postings. */
  federatedJobs(filter: FederatedFilter, options?: AbortOptions): Promise<FederatedJob[]>;
  /** Where the records of this job's ledger are valid. Throws `CONTRACTS_MISSING`. */
  ledgerDomainOf(job: JobId): LedgerDomain;
  /**
   * The id of the federated job that starts with `prefix` (0x optional).
   * @throws JOB_UNKNOWN, JOB_AMBIGUOUS
   */
  resolveFederatedJob(prefix: string, options?: AbortOptions): Promise<JobId>;
  /** As `MarketReader.follow`: the job now, at every change, and at its instants (`federatedInstantsOf`). */
  followFederated(id: JobId, options?: AbortOptions): AsyncIterable<FederatedJob>;
  /** Yields every job that matches, first the present ones, then each that appears or changes; never returns. */
  watchFederated(filter: FederatedFilter, options?: AbortOptions): AsyncIterable<FederatedJob>;
  /** What the escrow of federated jobs owes `account` and `withdrawFederated` would pay; smallest unit. */
  owedFederated(account: Address, token: Address, options?: AbortOptions): Promise<bigint>;
}
