import type { Address, Hex } from "../ids.ts";
import type { ImprovementFact } from "./improvement/market.ts";
import type { CampaignTerms, FixPlace } from "./terms.ts";
import type { Publication } from "./versions.ts";

/** An event of `DataCampaign`, as `IDataCampaign` names them, or of the improvement market beside it. */
export type CampaignFact =
  | {
      readonly kind: "opened";
      readonly id: Hex;
      readonly terms: CampaignTerms;
      /** What `specHash` is of; see `brief.ts`. */
      readonly description: Hex;
    }
  | {
      readonly kind: "added";
      readonly entry: number;
      readonly author: Address;
      readonly root: Hex;
      readonly count: number;
      readonly locator: Hex;
    }
  | {
      readonly kind: "fixed";
      readonly place: FixPlace;
      readonly fixer: Address;
      readonly original: Hex;
      readonly corrected: Hex;
      readonly content: Hex;
    }
  | { readonly kind: "judged"; readonly place: FixPlace; readonly right: boolean }
  | {
      readonly kind: "appealed";
      readonly place: FixPlace;
      readonly appellant: Address;
      readonly drawBlock: number;
    }
  | { readonly kind: "panelMissed"; readonly place: FixPlace; readonly drawBlock: number }
  | { readonly kind: "panelDrawn"; readonly place: FixPlace; readonly members: readonly Address[] }
  | { readonly kind: "voteCommitted"; readonly place: FixPlace; readonly member: Address }
  | {
      readonly kind: "voteRevealed";
      readonly place: FixPlace;
      readonly member: Address;
      readonly right: boolean;
    }
  | { readonly kind: "taken"; readonly place: FixPlace }
  | { readonly kind: "refunded"; readonly entry: number }
  | { readonly kind: "sliceDrawn"; readonly slice: number }
  | {
      readonly kind: "sliceRevealed";
      readonly slice: number;
      readonly digest: Hex;
      readonly salt: Hex;
      readonly locator: Hex;
    }
  | { readonly kind: "published"; readonly publication: Publication }
  | { readonly kind: "closed" }
  | ImprovementFact;

/** The event with its block, and that block's time, Unix seconds. */
export type CampaignEvent = CampaignFact & { readonly block: number; readonly at: number };
