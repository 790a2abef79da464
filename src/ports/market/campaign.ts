import type { AbortOptions } from "../../async/abort.ts";
import type { Campaign, CampaignRole } from "../../protocol/campaign/campaign.ts";
import type { CampaignTerms, Correction, FixPlace } from "../../protocol/campaign/terms.ts";
import type { Publication } from "../../protocol/campaign/versions.ts";
import type { Address, Hex } from "../../protocol/ids.ts";

type Terms = { readonly terms: CampaignTerms };

/** A call about one data campaign; `IDataCampaign` says who may make it, and when. */
export type CampaignCall =
  | { kind: "openCampaign"; campaign: Terms; description: Hex }
  /** `mostDeposit`: for each row. */
  | { kind: "addRows"; campaign: Terms; root: Hex; count: number; deposit: bigint; locator: Hex }
  | { kind: "commitFix"; campaign: Terms; commitment: Hex }
  | {
      kind: "fixRow";
      campaign: Terms;
      correction: Correction & { readonly proof: readonly Hex[] };
      content: Hex;
    }
  | { kind: "judgeFix"; campaign: Terms; place: FixPlace; right: boolean }
  | { kind: "appealFix" | "empanelFix" | "takeFix"; campaign: Terms; place: FixPlace }
  | { kind: "commitVote"; campaign: Terms; place: FixPlace; commitment: Hex }
  | { kind: "revealVote"; campaign: Terms; place: FixPlace; right: boolean; salt: Hex }
  | { kind: "refundRows"; campaign: Terms; entry: number }
  | { kind: "closeCampaign" | "drawSlice"; campaign: Terms }
  | { kind: "publishVersion"; campaign: Terms; publication: Publication }
  | {
      kind: "revealSlice";
      campaign: Terms;
      slice: number;
      digest: Hex;
      salt: Hex;
      proof: readonly Hex[];
      locator: Hex;
    };

/** Accounts by what they are in a campaign; all of those given must be in it. */
export type CampaignFilter = { readonly [Role in CampaignRole]?: Address };

/** Reads of data campaigns; a network without their contract has none. */
export interface CampaignReader {
  /**
   * The id that `openCampaign` of these terms will have.
   * @throws CONTRACTS_MISSING
   */
  campaignIdOf(terms: CampaignTerms): Hex;
  /** @throws CAMPAIGN_UNKNOWN */
  campaign(id: Hex, options?: AbortOptions): Promise<Campaign>;
  /** In the order of their openings. */
  campaigns(filter: CampaignFilter, options?: AbortOptions): Promise<Campaign[]>;
  /**
   * The id of the campaign that starts with `prefix` (0x optional).
   * @throws CAMPAIGN_UNKNOWN, CAMPAIGN_AMBIGUOUS
   */
  resolveCampaign(prefix: string, options?: AbortOptions): Promise<Hex>;
  /** The campaign now, at every change, and at its instants (`campaignInstantsOf`), until it holds nothing any more. */
  followCampaign(id: Hex, options?: AbortOptions): AsyncIterable<Campaign>;
  /** Yields every campaign that matches, first the present ones, then each that appears or changes; never returns. */
  watchCampaigns(filter: CampaignFilter, options?: AbortOptions): AsyncIterable<Campaign>;
  /** What the contract of campaigns owes `account` and `withdrawCampaigns` would pay; smallest unit. */
  owedCampaigns(account: Address, token: Address, options?: AbortOptions): Promise<bigint>;
  /** The newest block's number, as draws and commitments count. */
  blockNumber(options?: AbortOptions): Promise<number>;
}
