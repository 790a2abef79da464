import type { Address, Hex, JobId } from "../../ids.ts";
import type { Closed } from "./closing.ts";
import type { FederatedTerms } from "./terms.ts";

/** States of a federated job: the same names, in the same order, as in the contract. */
export const federatedStates = ["None", "Enlisting", "Drawing", "Running", "Disputed", "Ended"] as const;
export type FederatedState = (typeof federatedStates)[number];

/** Why a federated job ended; the order is `FederatedCause`'s. */
export const federatedCauses = ["completed", "stopped", "late", "noSeats", "overturned", "cheated"] as const;
export type FederatedCause = (typeof federatedCauses)[number];

/** An update that a replay of the training does not give, as the seats signed it. */
export interface Strike {
  readonly provider: Address;
  readonly round: number;
  /** Root of the update's parcel. */
  readonly upload: Hex;
}

/** Tells providers where they find the job, and hands them their admissions. */
export interface Invitation {
  readonly providers: readonly Address[];
  /** Each of them can open it. */
  readonly sealed: Hex;
}

/** What a dispute is about: the provider that appealed a strike; undefined for a closing. */
type About = { readonly about: Address | undefined };

/** An event of the escrow about one federated job, decoded and bounded; deadlines in Unix seconds. */
export type FederatedEvent =
  | { kind: "posted"; id: JobId; terms: FederatedTerms; sealed: Hex; block: number }
  | { kind: "invited"; invitation: Invitation }
  | { kind: "enlisted"; provider: Address }
  | { kind: "begun"; drawBlock: number; deadline: number }
  | { kind: "seated"; seat: Address }
  | { kind: "firstOpened"; deadline: number }
  | { kind: "uploadAsserted"; provider: Address; round: number; upload: Hex }
  | { kind: "roundClosed"; closed: Closed }
  | { kind: "stopAsked" }
  | { kind: "ended"; cause: FederatedCause; closed: number; deadline: number }
  | { kind: "resumed"; state: FederatedState; deadline: number }
  | { kind: "claimed"; account: Address; amount: bigint }
  | { kind: "struck"; strike: Strike; signers: readonly Address[]; appealBy: number }
  | ({ kind: "disputed"; challenger: Address; round: number; drawBlock: number } & About)
  | ({ kind: "drawMissed"; drawBlock: number } & About)
  | ({ kind: "empanelled"; panel: readonly Address[]; deadline: number } & About)
  | ({ kind: "findingCommitted"; validator: Address; deadline: number } & About)
  | ({ kind: "findingRevealed"; validator: Address; finding: Hex } & About)
  /** `stands`: whether the closing or the strike does; `decided`: whether a majority of the panel found the same. */
  | ({ kind: "disputeConcluded"; decided: boolean; stands: boolean } & About)
  | { kind: "stakeReleased"; account: Address; slashed: boolean }
  | { kind: "swept"; amount: bigint }
  | { kind: "rated"; rater: Address; subject: Address; score: number };
