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
  /** Those that are over, in order. */
  readonly judged: readonly Judged[];
  /** Credited without a claim. */
  readonly fees: readonly Fee[];
  /** When the last dispute over a closing ended with the closing standing, Unix seconds; 0 before. */
  readonly resumedAt: number;
}

/** What the escrow credits of itself: to a panel for its finding, to seats for the strike that ends a job. */
export interface Fee {
  readonly account: Address;
  readonly of: "panel" | "strike";
  /** The token's smallest unit. */
  readonly amount: bigint;
}

/** A provider or a seat of a job. */
export interface FederatedMember {
  readonly account: Address;
  readonly seat: boolean;
  readonly standing: Standing;
  /** Last round to which it asserted an upload; 0 before. */
  readonly asserted: number;
  /** All its uploads that it asserted. */
  readonly assertions: readonly Assertion[];
  /** Credited so far, the token's smallest unit. */
  readonly claimed: bigint;
  /** The last strike against it, and who signed it. */
  readonly strike?: {
    readonly found: Strike;
    readonly signers: readonly Address[];
    readonly appealBy: number;
  };
  /** True where a strike took its stake. */
  readonly lost?: boolean;
}

/** A provider said on the chain that it uploaded. */
export interface Assertion {
  readonly round: number;
  /** Root of the update's parcel. */
  readonly upload: Hex;
}

type Standing = "enlisted" | "seated" | "struck" | "appealing" | "condemned" | "slashed" | "released";

export interface Dispute {
  /** How many were opened in the job before. */
  readonly number: number;
  /** Who appealed a strike; undefined for a closing. */
  readonly about: Address | undefined;
  readonly challenger: Address;
  readonly round: number;
  /** Block whose hash draws the panel; undefined once it is drawn. */
  readonly drawBlock: number | undefined;
  readonly panel: readonly Address[];
  readonly committed: readonly Address[];
  readonly revealed: readonly Address[];
  /** What they found, in the same order. */
  readonly findings: readonly Hex[];
  /** Last second to commit; once all have, to reveal. */
  readonly deadline: number;
}

/** What the closed rounds pay and no one has claimed yet, smallest unit. */
export function unclaimedOf({ closings, members, terms, paid, swept }: FederatedJob): bigint {
  if (swept) return 0n;
  const seated = BigInt(members.filter(({ seat }) => seat).length);
  return BigInt(closings.length) * (terms.roundPrice + seated * terms.seatFee) - paid;
}

/** What a member that has its stake again got of those of proven cheats, wei; 0 unless a cheat ends the job. */
export function partOf({ members, terms }: FederatedJob, member: FederatedMember): bigint {
  if (!terms.refunds || member.seat || member.standing !== "released" || member.lost) return 0n;
  const cheats = members.filter(({ lost }) => lost).length;
  const honest = members.filter(({ seat }) => !seat).length - cheats;
  return (BigInt(cheats) * terms.providerStake) / BigInt(honest);
}

/** What became of a dispute. */
export interface Judged extends Pick<Dispute, "number" | "about" | "challenger" | "round"> {
  /** A majority of the panel found the same. */
  readonly decided: boolean;
  /** The closing, or the strike, does. */
  readonly stands: boolean;
}

/** Until when the closing of `round` can be challenged, Unix seconds: one window after it, or after the last dispute. */
export function challengeBy({ closings, resumedAt, terms }: FederatedJob, round: number): number {
  return Math.max(closings[round - 1]?.closedAt ?? 0, resumedAt) + terms.disputeWindow;
}

/** Whether a provider was struck and still has its stake. */
export function isStruck({ standing }: FederatedMember): boolean {
  return standing === "struck" || standing === "appealing" || standing === "condemned";
}

/** True while a dispute is open, or a strike can still become one. */
export function isContested({ disputes, members }: FederatedJob, now: number): boolean {
  return (
    disputes.length > 0 ||
    members.some(
      ({ standing, strike }) => standing === "struck" && strike !== undefined && now <= strike.appealBy,
    )
  );
}

/** Providers that asserted an upload to the open round of a job that has not ended. */
export function assertedIn({ closings, members }: FederatedJob): number {
  return members.filter(({ asserted }) => asserted > closings.length).length;
}
