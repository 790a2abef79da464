import type { Address, Hex, JobId } from "../../ids.ts";
import type { Closed } from "./closing.ts";
import type { FederatedCause, FederatedState, Invitation, Strike } from "./events.ts";
import type { FederatedTerms } from "./terms.ts";

/** A federated job as its events tell it. */
export interface FederatedJob {
  readonly id: JobId;
  readonly terms: FederatedTerms;
  /** Block of the posting. */
  readonly block: number;
  /** The locator for the seats. */
  readonly sealed: Hex;
  readonly state: FederatedState;
  /** Last second of the present step, Unix time; once ended, of disputes. */
  readonly deadline: number;
  /** The open round is the last. */
  readonly stopping: boolean;
  /** Sum of all claims, the requester's among them; smallest unit. */
  readonly paid: bigint;
  /** What no one claimed went back to the requester. */
  readonly swept: boolean;
  readonly cause?: FederatedCause | undefined;
  /** Block whose hash draws the seats. */
  readonly drawBlock?: number | undefined;
  readonly invitations: readonly Invitation[];
  readonly members: readonly FederatedMember[];
  /** Of the rounds that are closed and not void, in order. */
  readonly closings: readonly Closed[];
  /** Open ones: at most one over a closing, and one for each provider that appeals. */
  readonly disputes: readonly Dispute[];
}

/** A provider or a seat of a job. */
export interface FederatedMember {
  readonly account: Address;
  readonly seat: boolean;
  readonly standing: Standing;
  /** Last round to which it asserted an upload; 0 before. */
  readonly asserted: number;
  /** Credited so far, the token's smallest unit. */
  readonly claimed: bigint;
  /** The last strike against it, and who signed it. */
  readonly strike?: {
    readonly found: Strike;
    readonly signers: readonly Address[];
    readonly appealBy: number;
  };
}

type Standing = "enlisted" | "seated" | "struck" | "appealing" | "condemned" | "slashed" | "released";

export interface Dispute {
  /** Who appealed a strike; undefined for a closing. */
  readonly about: Address | undefined;
  readonly challenger: Address;
  readonly round: number;
  /** Block whose hash draws the panel; undefined once it is drawn. */
  readonly drawBlock: number | undefined;
  readonly panel: readonly Address[];
  readonly committed: readonly Address[];
  readonly revealed: readonly Address[];
  /** Last second to commit; once all have, to reveal. */
  readonly deadline: number;
}

/** What the closed rounds pay and no one has claimed yet, smallest unit. */
export function unclaimedOf({ closings, members, terms, paid, swept }: FederatedJob): bigint {
  if (swept) return 0n;
  const seated = BigInt(members.filter(({ seat }) => seat).length);
  return BigInt(closings.length) * (terms.roundPrice + seated * terms.seatFee) - paid;
}

/** Providers that asserted an upload to the open round of a job that has not ended. */
export function assertedIn({ closings, members }: FederatedJob): number {
  return members.filter(({ asserted }) => asserted > closings.length).length;
}
