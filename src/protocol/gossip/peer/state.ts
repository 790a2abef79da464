import type { Address, Hex } from "../../ids.ts";
import type { FinalBlock, GossipBlock, GossipConfirmation } from "../records/block.ts";
import type { WitnessedTransaction } from "../records/transaction.ts";
import type { GossipMessage } from "./messages.ts";

/** A receipt that this peer made, and the one block that it confirmed it for. */
export interface GivenReceipt {
  readonly digest: Hex;
  readonly transaction: Hex;
  readonly create: number;
  readonly block?: Hex;
}

export interface DraftBlock {
  readonly block: GossipBlock;
  readonly confirmations: readonly GossipConfirmation[];
}

/** What a peer must still know after its process was killed. Its finished blocks are kept beside it. */
export interface PeerState {
  /** Of the last finished block; 0 and the network's digest before the first. */
  readonly height: number;
  readonly tip: Hex;
  /** Own transactions that are in no block yet, oldest first. */
  readonly own: readonly WitnessedTransaction[];
  readonly draft?: DraftBlock;
  readonly given: readonly GivenReceipt[];
  readonly reputations: readonly (readonly [Address, number])[];
}

/** A change of that state. It must be on disk before what the peer sends with it is sent. */
export type Kept =
  | { readonly kind: "own"; readonly digest: Hex; readonly witnessed: WitnessedTransaction }
  | { readonly kind: "dropped"; readonly digest: Hex }
  /** Its transactions leave `own`. */
  | { readonly kind: "draft"; readonly block: GossipBlock }
  | { readonly kind: "confirmed"; readonly confirmation: GossipConfirmation }
  | { readonly kind: "abandoned" }
  | { readonly kind: "final"; readonly final: FinalBlock; readonly tip: Hex }
  | { readonly kind: "given"; readonly receipt: GivenReceipt }
  | { readonly kind: "reputation"; readonly account: Address; readonly value: number };

/** What a peer wants done; in this order. */
export type Effect =
  | { readonly kind: "keep"; readonly kept: Kept }
  | { readonly kind: "send"; readonly to: readonly Address[]; readonly message: GossipMessage }
  /** Get this model from `from`, measure it, and call `measured` or `unmeasurable`. */
  | {
      readonly kind: "measure";
      readonly transaction: Hex;
      readonly model: Hex;
      readonly bytes: number;
      readonly from: Address;
    }
  /** Enough models are there: measure the own one and call `average`. */
  | { readonly kind: "average" }
  /** A neighbour sent what is passed over, and why. */
  | { readonly kind: "refused"; readonly from: Address; readonly why: string };
