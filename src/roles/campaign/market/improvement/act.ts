import type { Abortable } from "../../../../async/abort.ts";
import type { ImprovementCall } from "../../../../ports/market/improvement.ts";
import type { Campaign } from "../../../../protocol/campaign/campaign.ts";
import {
  type ImprovementOffer,
  improvementPriceOf,
} from "../../../../protocol/campaign/improvement/market.ts";
import type { RoleContext } from "../../../context.ts";
import { transact } from "../../../shared/transact.ts";
import { allowEscrow } from "../../../tokens.ts";
import { recordLock, undertake } from "../undertake.ts";

/**
 * Opens the market of a campaign, for its bounty and the panel's fees.
 * @throws BUDGET_EXCEEDED
 */
export async function openImprovement(
  context: RoleContext,
  campaign: Campaign,
  offer: ImprovementOffer,
  options: Abortable,
): Promise<void> {
  const call = { kind: "openMarket", improvement: campaign, offer } as const;
  await lockAnd(context, campaign, { name: "market", amount: improvementPriceOf(offer), call }, options);
}

/**
 * Stakes on an entry of this account's.
 * @throws BUDGET_EXCEEDED
 */
export async function stakeEntry(
  context: RoleContext,
  campaign: Campaign,
  { entry, amount }: { readonly entry: number; readonly amount: bigint },
  options: Abortable,
): Promise<void> {
  const call = { kind: "stakeEntry", improvement: campaign, entry, amount } as const;
  await lockAnd(context, campaign, { name: `stake-${entry}`, amount, call }, options);
}

async function lockAnd(
  context: RoleContext,
  { id, terms: { token } }: Campaign,
  { name, amount, call }: { readonly name: string; readonly amount: bigint; readonly call: ImprovementCall },
  options: Abortable,
): Promise<void> {
  const { market, journal } = context;
  await undertake(journal, { campaign: id, name }, async (record) => {
    await recordLock(context, record, { token, locked: amount }, options);
    if (record.intent("call") === undefined)
      await allowEscrow(market, token, amount, { ...options, spender: "improvements" });
    await transact(market, record, call, { ...options, name: "call" });
  });
}
