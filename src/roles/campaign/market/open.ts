import type { Abortable } from "../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import type { MarketReader } from "../../../ports/market.ts";
import { COIN, type TokenInfo } from "../../../protocol/amounts.ts";
import { encodeBrief, MAX_BRIEF_BYTES } from "../../../protocol/campaign/brief.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { dealExam, type ExamSlice, examRootOf } from "../../../protocol/campaign/exam.ts";
import type { CampaignFile } from "../../../protocol/campaign/file.ts";
import { type CampaignTerms, campaignPriceOf, NO_ROW } from "../../../protocol/campaign/terms.ts";
import type { Address, Hex } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../context.ts";
import { random32 } from "../../shared/random.ts";
import { transact } from "../../shared/transact.ts";
import { allowEscrow } from "../../tokens.ts";
import { campaignFiles, keepFile } from "./files.ts";
import { recordLock, undertake } from "./undertake.ts";

/** A campaign as it is to be opened. */
export interface Opening {
  readonly id: Hex;
  readonly terms: CampaignTerms;
  readonly description: Hex;
}

/**
 * What a campaign.yaml would open now, and its hidden test set, which only the root goes to the chain of.
 * @throws CAMPAIGN_INVALID
 */
export async function planOpening(
  market: MarketReader,
  {
    file,
    token,
    owner,
    hidden,
    readers,
  }: {
    readonly file: CampaignFile;
    readonly token: TokenInfo;
    readonly owner: Address;
    /** Rows of the hidden test set. */
    readonly hidden: readonly string[];
    /** Of a private campaign: onion keys, the owner's first. */
    readonly readers?: readonly Hex[] | undefined;
  },
  options: Abortable,
): Promise<{ readonly opening: Opening; readonly slices: readonly ExamSlice[] }> {
  const { campaign, collection, name } = file;
  if (readers !== undefined && new Set(readers).size < readers.length)
    throw invalid("a reader is named twice, or is its owner");
  const { description, specHash } = encodeBrief({ name, about: collection.about, readers });
  const bytes = (description.length - 2) / 2;
  if (bytes > MAX_BRIEF_BYTES)
    throw invalid(`"about", name and readers' keys take ${bytes} bytes together, of 1024`);
  const count = collection.hidden?.slices ?? 0;
  if (hidden.length < count)
    throw invalid(`the hidden test set has ${hidden.length} rows for ${count} slices`);
  const slices = dealExam(hidden, Array.from({ length: count }, random32));
  const sum = (wei: bigint) => inToken(wei, token);
  const terms: CampaignTerms = {
    ...{ owner, token: token.address },
    ...{ deposit: sum(campaign.deposit), price: sum(campaign.price), reward: sum(campaign.reward) },
    ...{ bond: sum(campaign.bond), fee: sum(campaign.fee) },
    ...{ rows: campaign.rows, capacity: campaign.capacity },
    closesAt: (await market.now(options)) + collection.closes,
    ...{ fixWindow: campaign.fixWindow, stepWindow: campaign.stepWindow, slices: count, specHash },
    examRoot: count === 0 ? NO_ROW : examRootOf(slices),
  };
  return { opening: { id: market.campaignIdOf(terms), terms, description }, slices };
}

/**
 * Opens a campaign and locks the price of its rows. Called again for the same opening, it goes on.
 * @throws BUDGET_EXCEEDED
 */
export async function openCampaign(
  context: RoleContext,
  { opening, slices }: { readonly opening: Opening; readonly slices: readonly ExamSlice[] },
  options: Abortable,
): Promise<void> {
  const { id } = opening;
  const record = context.journal.open("campaign", `${id}/open/0`);
  const { terms } = opening;
  try {
    await recordLock(context, record, { token: terms.token, locked: campaignPriceOf(terms) }, options);
  } catch (error) {
    if (isIchainError(error, "BUDGET_EXCEEDED")) record.finish("failed");
    throw error;
  }
  // Before the chain knows of it: without the salts no slice could be shown.
  if (slices.length > 0) await keepFile(campaignFiles(context.jobsDir, id).hidden, JSON.stringify(slices));
  await record.step<Opening, null>("draft", { prepare: () => opening, act: () => null });
  await postOpening(context, opening, options);
}

/** The posting itself, of what was drafted. */
export async function postOpening(
  { market, journal }: Pick<RoleContext, "market" | "journal">,
  opening: Opening,
  options: Abortable,
): Promise<void> {
  const record = journal.open("campaign", `${opening.id}/open/0`);
  const { terms, description } = opening;
  if (record.intent("call") === undefined)
    await allowEscrow(market, terms.token, campaignPriceOf(terms), { ...options, spender: "campaigns" });
  const call = { kind: "openCampaign", campaign: { terms }, description } as const;
  try {
    await transact(market, record, call, { ...options, name: "call" });
  } catch (error) {
    if (error instanceof IchainError && error.class === "refused") record.finish("failed");
    throw error;
  }
  record.finish("done");
}

/** A campaign whose opening this home began and has not ended. */
export function beganToOpen({ journal }: Pick<RoleContext, "journal">): Hex | undefined {
  const open = journal.undertakings({ role: "campaign", unfinished: true });
  return open.map(({ key }) => key.split("/")).find(([, name]) => name === "open")?.[0] as Hex | undefined;
}

/** Ends the adding; the owner's at any time. */
export async function closeCampaign(
  { market, journal }: Pick<RoleContext, "market" | "journal">,
  campaign: Campaign,
  options: Abortable,
): Promise<void> {
  await undertake(journal, { campaign: campaign.id, name: "close" }, (record) =>
    transact(market, record, { kind: "closeCampaign", campaign }, { ...options, name: "call" }),
  );
}

/** Sums of campaign.yaml have the coin's 18 decimals. */
export function inToken(wei: bigint, { decimals, symbol, address }: TokenInfo): bigint {
  if (address === COIN.address) return wei;
  const units = wei * 10n ** BigInt(decimals);
  const whole = 10n ** 18n;
  if (units % whole === 0n) return units / whole;
  throw invalid(`${symbol} has ${decimals} decimals, and a sum has more`);
}

function invalid(why: string): IchainError {
  return new IchainError("CAMPAIGN_INVALID", `The campaign cannot be opened: ${why}.`);
}
