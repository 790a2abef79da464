import type { Address } from "../ids.ts";
import type { FixPlace } from "./terms.ts";

/** A call of a campaign after it was opened. A fix's commitment goes before it and changes nothing else. */
export type CampaignAction =
  | { readonly kind: "add"; readonly by: Address; readonly count: number }
  | {
      readonly kind: "fix";
      readonly by: Address;
      readonly entry: number;
      readonly row: number;
      /** Whether the row goes without another in its place. */
      readonly removes: boolean;
    }
  | { readonly kind: "judge"; readonly by: Address; readonly place: FixPlace; readonly right: boolean }
  | {
      readonly kind: "appeal" | "empanel" | "revealVote" | "take";
      readonly by: Address;
      readonly place: FixPlace;
    }
  | { readonly kind: "commitVote"; readonly by: Address; readonly place: FixPlace; readonly right: boolean }
  | { readonly kind: "refund"; readonly by: Address; readonly entry: number }
  | { readonly kind: "close"; readonly by: Address };

/** Where a fix stands, in the order of the contract's `FixState` after `None`. */
export const fixStates = ["Judging", "Judged", "Drawing", "Voting", "Taken"] as const;
export type FixState = (typeof fixStates)[number];

export interface CampaignEntry {
  readonly author: Address;
  readonly count: number;
  readonly addedAt: number;
  /** For each of its rows, the token's smallest unit. */
  readonly deposit: bigint;
  /** Rows of which a fix is open or was found right. */
  contested: number;
  refunded: boolean;
}

export interface CampaignFix {
  readonly fixer: Address;
  readonly removes: boolean;
  state: FixState;
  /** Whether the owner, or the panel after it, found the fix right; undefined while neither has. */
  verdict: boolean | undefined;
  deadline: number;
  byFixer: boolean;
  /** Of the panel: what each has committed to, once it has, and whether that is known. */
  readonly votes: Map<Address, { right: boolean | undefined; revealed: boolean }>;
}

export interface CampaignRow {
  readonly fixes: CampaignFix[];
  taken: number;
  /** The fix that was found right. */
  fixedBy: CampaignFix | undefined;
}
