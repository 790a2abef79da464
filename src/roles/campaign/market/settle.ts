import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { CampaignCall } from "../../../ports/market/campaign.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { type CampaignDue, campaignDuesOf } from "../../../protocol/campaign/dues.ts";
import type { Address, Hex } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../context.ts";
import { transact } from "../../shared/transact.ts";
import { undertake } from "./undertake.ts";

type Context = Pick<RoleContext, "market" | "journal" | "account">;

/** Between two tries to draw: the block whose hash draws may not be mined yet. */
const DRAW_MS = 1_000;

/**
 * Does what is due in a campaign and what becomes due by it, as far as `wanted` says so: takes, refunds, draws, the
 * closing. What another did first is no failure.
 * @returns what was done here
 */
export async function settleCampaign(
  context: Context,
  id: Hex,
  wanted: (campaign: Campaign, due: CampaignDue) => boolean,
  options: Abortable,
): Promise<CampaignDue[]> {
  const { market, journal } = context;
  const done: CampaignDue[] = [];
  const tried = new Set<string>();
  for (;;) {
    const campaign = await market.campaign(id, options);
    const [now, block] = await Promise.all([market.now(options), market.blockNumber(options)]);
    const dues = campaignDuesOf(campaign, { now, block }).filter((due) => wanted(campaign, due));
    const next = dues.find((due) => !tried.has(`${nameOf(due)} ${campaign.events.length}`));
    if (next === undefined) return done;
    const name = nameOf(next);
    tried.add(`${name} ${campaign.events.length}`);
    try {
      await undertake(journal, { campaign: id, name }, (record) =>
        transact(market, record, callOf(campaign, next), { ...options, name: "call" }),
      );
      done.push(next);
    } catch (error) {
      if (!isIchainError(error) || error.class !== "refused") throw error;
    }
  }
}

/** Waits until the draws that were asked for are made or out of time; any party's home makes them. */
export async function drawPanels(
  context: Context,
  id: Hex,
  wanted: (campaign: Campaign, due: CampaignDue) => boolean,
  options: Abortable,
): Promise<void> {
  for (;;) {
    await settleCampaign(context, id, (campaign, due) => isDraw(due) && wanted(campaign, due), options);
    const campaign = await context.market.campaign(id, options);
    const now = await context.market.now(options);
    const dues = campaignDuesOf(campaign, { now, block: Number.POSITIVE_INFINITY });
    if (!dues.some((due) => isDraw(due) && wanted(campaign, due))) return;
    await delay(DRAW_MS, undefined, options);
  }
}

function isDraw({ kind }: CampaignDue): boolean {
  return kind === "empanel" || kind === "drawSlice";
}

/** What an account does by itself: what pays it, and what it is waited for with. */
export function concerns(account: Address): (campaign: Campaign, due: CampaignDue) => boolean {
  return ({ rules, terms }, due) => {
    const isOwner = terms.owner === account;
    if ("entry" in due) return rules.entries[due.entry]!.author === account;
    if (!("place" in due)) return isOwner;
    const isAuthor = rules.entries[due.place.entry]!.author === account;
    return isOwner || isAuthor || rules.fixOf(due.place)!.fixer === account;
  };
}

function nameOf(due: CampaignDue): string {
  switch (due.kind) {
    case "refund":
      return `refund-${due.entry}`;
    case "take":
    case "empanel":
      return `${due.kind}-${due.place.entry}-${due.place.row}-${due.place.fix}`;
    default:
      return due.kind;
  }
}

function callOf(campaign: Campaign, due: CampaignDue): CampaignCall {
  switch (due.kind) {
    case "take":
      return { kind: "takeFix", campaign, place: due.place };
    case "empanel":
      return { kind: "empanelFix", campaign, place: due.place };
    case "refund":
      return { kind: "refundRows", campaign, entry: due.entry };
    case "close":
      return { kind: "closeCampaign", campaign };
    case "drawSlice":
      return { kind: "drawSlice", campaign };
  }
}
