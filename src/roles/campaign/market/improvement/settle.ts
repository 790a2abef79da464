import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { ImprovementCall } from "../../../../ports/market/improvement.ts";
import {
  heldByImprovement,
  type ImprovementDue,
  improvementDuesOf,
} from "../../../../protocol/campaign/improvement/market.ts";
import { type MarketPayout, payoutProof } from "../../../../protocol/campaign/models/improvement.ts";
import { type Hex, shortId } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { transact } from "../../../shared/transact.ts";
import { undertake } from "../undertake.ts";
import { improvementOf, replayImprovement } from "./replay.ts";

type Context = Pick<RoleContext, "market" | "journal">;

/** Between two tries to draw: the block whose hash draws may not be mined yet. */
const DRAW_MS = 1_000;

/**
 * Does what is due in a market and anyone's, but for claims. What another did first is no failure.
 * @returns what was done here
 */
export async function settleImprovement(
  { market, journal }: Context,
  id: Hex,
  options: Abortable,
): Promise<ImprovementDue[]> {
  const done: ImprovementDue[] = [];
  const tried = new Set<string>();
  for (;;) {
    const campaign = await market.campaign(id, options);
    const [now, block] = await Promise.all([market.now(options), market.blockNumber(options)]);
    const dues = improvementDuesOf(improvementOf(campaign), { now, block });
    const next = dues.find((due) => !tried.has(`${nameOf(due)} ${campaign.events.length}`));
    if (next === undefined) return done;
    tried.add(`${nameOf(next)} ${campaign.events.length}`);
    try {
      await undertake(journal, { campaign: id, name: nameOf(next) }, (record) =>
        transact(market, record, callOf(campaign, next), { ...options, name: "call" }),
      );
      done.push(next);
    } catch (error) {
      if (!isIchainError(error) || error.class !== "refused") throw error;
    }
  }
}

/** Waits until a panel that is being drawn is drawn or out of time; any home draws it. */
export async function drawImprovement(context: Context, id: Hex, options: Abortable): Promise<void> {
  for (;;) {
    await settleImprovement(context, id, options);
    const { state } = improvementOf(await context.market.campaign(id, options));
    if (state !== "Drawing") return;
    await delay(DRAW_MS, undefined, options);
  }
}

/**
 * Credits what the panel's root has for each account that was not paid yet: replays the market, which has the proofs.
 * @returns what was credited here
 * @throws IMPROVEMENT_ROOT_STRANGE where the panel's root is another, and as `replayImprovement`
 */
export async function claimPayouts(
  context: RoleContext,
  id: Hex,
  options: Abortable,
): Promise<readonly MarketPayout[]> {
  const { market, journal } = context;
  const campaign = await market.campaign(id, options);
  const found = improvementOf(campaign);
  const isOpen = found.state === "Settled" && (await market.now(options)) <= found.deadline;
  if (!isOpen || heldByImprovement(found) === 0n) return [];
  const { payouts, root } = await replayImprovement(context, id, options);
  if (root !== found.root)
    throw new IchainError(
      "IMPROVEMENT_ROOT_STRANGE",
      `The panel of campaign ${shortId(id)} says ${found.root}, and the replay here ${root}.`,
    );
  const claimed: MarketPayout[] = [];
  for (const [index, payout] of payouts.entries()) {
    const { entry, account, amount } = payout;
    if (amount === 0n || found.paid.has(entry)) continue;
    const proof = payoutProof(payouts, index);
    const call = { kind: "claimPayout", improvement: campaign, entry, account, amount, proof } as const;
    try {
      await undertake(journal, { campaign: id, name: `claim-${entry}` }, (record) =>
        transact(market, record, call, { ...options, name: "call" }),
      );
      claimed.push(payout);
    } catch (error) {
      if (!isIchainError(error) || error.class !== "refused") throw error;
    }
  }
  return claimed;
}

function nameOf(due: ImprovementDue): string {
  return due.kind === "refund" ? `stakeback-${due.entry}` : `market_${due.kind}`;
}

function callOf(campaign: ImprovementCall["improvement"], due: ImprovementDue): ImprovementCall {
  switch (due.kind) {
    case "refund":
      return { kind: "refundStake", improvement: campaign, entry: due.entry };
    case "begin":
      return { kind: "beginMarket", improvement: campaign };
    case "draw":
      return { kind: "drawMarket", improvement: campaign };
    case "settle":
      return { kind: "settleMarket", improvement: campaign };
    case "sweep":
      return { kind: "sweepMarket", improvement: campaign };
  }
}
