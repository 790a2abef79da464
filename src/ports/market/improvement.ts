import type { AbortOptions } from "../../async/abort.ts";
import type { ImprovementOffer } from "../../protocol/campaign/improvement/market.ts";
import type { CampaignTerms } from "../../protocol/campaign/terms.ts";
import type { Address, Hex } from "../../protocol/ids.ts";

/** The campaign whose market a call is about. */
type Beside = { readonly id: Hex; readonly terms: CampaignTerms };

/** A call about the improvement market of a campaign; `IImprovementMarket` says who may make it, and when. */
export type ImprovementCall =
  | { kind: "openMarket"; improvement: Beside; offer: ImprovementOffer }
  | { kind: "stakeEntry"; improvement: Beside; entry: number; amount: bigint }
  | { kind: "beginMarket" | "drawMarket" | "settleMarket" | "sweepMarket"; improvement: Beside }
  | { kind: "commitRoot"; improvement: Beside; commitment: Hex }
  | { kind: "revealRoot"; improvement: Beside; root: Hex; salt: Hex }
  | {
      kind: "claimPayout";
      improvement: Beside;
      entry: number;
      account: Address;
      amount: bigint;
      proof: readonly Hex[];
    }
  | { kind: "refundStake"; improvement: Beside; entry: number };

/** Reads of improvement markets, beside what a campaign's events say of its own. */
export interface ImprovementReader {
  /**
   * Who was drawn for the panel of a campaign's market, in order; none before.
   * @throws CONTRACTS_MISSING
   */
  improvementPanel(campaign: Hex, options?: AbortOptions): Promise<readonly Address[]>;
  /** What the contract of improvement markets owes `account` and `withdrawImprovements` would pay; smallest unit. */
  owedImprovements(account: Address, token: Address, options?: AbortOptions): Promise<bigint>;
}
