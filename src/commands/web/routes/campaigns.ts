import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { MarketReader } from "../../../ports/market.ts";
import { amountText } from "../../../protocol/amounts.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { campaignDuesOf } from "../../../protocol/campaign/dues.ts";
import { MAX_ROW_BYTES } from "../../../protocol/campaign/rows.ts";
import { type FixPlace, NO_ROW } from "../../../protocol/campaign/terms.ts";
import { type Hex, sameAddress, shortId } from "../../../protocol/ids.ts";
import { neutraliseLine } from "../../../protocol/neutralise.ts";
import { correctionAt, keptKey, keptRows } from "../../../roles/campaign/market/rows.ts";
import { readVersions } from "../../../roles/campaign/versions/train.ts";
import { duration, money } from "../../../ui/format.ts";
import { route, type WebRoute } from "../../../web/endpoint.ts";
import {
  balanceOf,
  type CampaignAccount,
  campaignAccounts,
  campaignHistory,
} from "../../data/reading/history.ts";
import { isListed } from "../../data/reading/list.ts";
import {
  type CampaignSight,
  campaignData,
  placesOf,
  sightOf,
  wholeCampaign,
} from "../../data/reading/view.ts";
import { campaignLines } from "../../data/reading/why.ts";
import { versionData } from "../../data/versions/list.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { fixPlace, rowPlace } from "../../framework/parse.ts";
import { fromRecords } from "../../steps/records.ts";
import { readTokens } from "../../steps/tokens.ts";
import { campaignsApi } from "../api/campaigns.ts";
import { runCommand } from "../context.ts";
import type { PageContext } from "../page.ts";

/** Campaigns that are shown at once. */
const PAGE = 50;
/** Entries, fixes and accounts of one campaign that are shown, each. */
const MAX_SHOWN = 200;
/** Entries whose rows are read to show what a fix is of, and bytes of each. */
const MAX_READ = { entries: 16, bytes: 1 << 20 };
/** Points of a curve, and curves of balances. */
const MAX_POINTS = 200;
const MAX_CURVES = 6;

/** Data campaigns, one of them, and what is done in it. */
export function campaignRoutes(page: PageContext): readonly WebRoute[] {
  const { context, market, account, keys } = page;
  return [
    route(campaignsApi.campaigns, async ({ which, from }, options) => {
      const now = await market.now(options);
      const all = (await market.campaigns({}, options)).reverse();
      const found = all.filter((one) => which === "all" || isListed(one, { now, account }));
      const shown = found.slice(from, from + PAGE);
      const paidIn = shown.map(({ terms }) => terms.token);
      const tokens = await readTokens(context, market, paidIn, options);
      const campaigns = shown.map((one) =>
        campaignRow(one, { now, account, token: tokens(one.terms.token) }),
      );
      return { now, count: found.length, from, campaigns };
    }),
    route(campaignsApi.campaign, ({ id }, options) => oneCampaign(page, id, options)),
    route(campaignsApi.add, async ({ id, rows, most, dryRun }) => {
      keys.password();
      if (most === undefined && !dryRun) {
        throw new IchainError("USAGE", "The most that a row's deposit may be is missing.", {
          hint: "Ask with `dryRun` first: it says the deposit.",
        });
      }
      return await addText(context, id, rows, {
        ...(most !== undefined && { most: BigInt(most) }),
        ...(dryRun && { dryRun }),
      });
    }),
    route(campaignsApi.fix, async ({ id, row, how, text }) => {
      keys.password();
      const options = how === "with" ? { with: text } : { [how]: true };
      return runCommand(context, "data fix", { args: { id, row: rowPlace(row) }, options });
    }),
    route(campaignsApi.judge, async ({ id, place, verdict }) => {
      keys.password();
      return runCommand(context, "data judge", { args: { id, fix: fixPlace(place), verdict } });
    }),
    route(campaignsApi.take, async ({ id }) => {
      keys.password();
      return runCommand(context, "data take", { args: { id } });
    }),
    route(campaignsApi.refund, async ({ id }) => {
      keys.password();
      return runCommand(context, "data refund", { args: { id } });
    }),
    route(campaignsApi.close, async ({ id }) => {
      keys.password();
      return runCommand(context, "data close", { args: { id } });
    }),
    route(campaignsApi.rows, async ({ id }, options) => {
      keys.password();
      const out = resolve(`campaign-${shortId(await market.resolveCampaign(id, options))}`);
      return runCommand(context, "data get", { args: { id }, options: { out } });
    }),
  ];
}

/** Adds what was written on the page, as a file of rows. */
async function addText(context: CommandContext, id: string, rows: string, options: object) {
  const folder = await mkdtemp(join(tmpdir(), "ichain-page-"));
  try {
    const file = join(folder, "rows.txt");
    await writeFile(file, rows, { mode: 0o600 });
    return await runCommand(context, "data add", { args: { id, file }, options });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Calls `onChange` for every campaign that appears or changes, until `signal` aborts. */
export async function followCampaigns(
  market: Pick<MarketReader, "campaigns" | "watchCampaigns">,
  onChange: (id: Hex) => void,
  options: Abortable,
): Promise<void> {
  const seen = new Map((await market.campaigns({}, options)).map(({ id, events }) => [id, events.length]));
  for await (const { id, events } of market.watchCampaigns({}, options)) {
    // The present ones come first.
    if (seen.get(id) === events.length) continue;
    seen.set(id, events.length);
    onChange(id);
  }
}

/** A campaign as a line of the page's list; amounts as people read them. */
function campaignRow(campaign: Campaign, sight: CampaignSight) {
  const { campaignId, name, state, roles, closesAt, rows, deposit, price } = campaignData(campaign, sight);
  const { token } = sight;
  return {
    ...{ campaignId, state, roles, closesAt, rows },
    name: name === undefined ? undefined : neutraliseLine(name),
    ...{ deposit: money(deposit, token), price: money(price, token) },
  };
}

async function oneCampaign(page: PageContext, id: string, options: { signal: AbortSignal }) {
  const { context, market, account } = page;
  const campaign = await market.campaign(await market.resolveCampaign(id, options), options);
  const sight = await sightOf(context, { market, account }, campaign);
  const block = await market.blockNumber(options);
  const versions = await fromRecords(context, (journal) =>
    readVersions({ market, journal }, campaign, options),
  );
  const all = versions ?? (await readVersions({ market, journal: undefined }, campaign, options));
  const { rules, terms } = campaign;
  const { now, token } = sight;
  // As the chain's events write it: the rules compare letter by letter.
  const by = sameAddress(terms.owner, account) ? terms.owner : account;
  const whole = wholeCampaign(campaign, sight);
  const dues = campaignDuesOf(campaign, { now, block });
  const dueOf = (...kinds: string[]) => dues.filter(({ kind }) => kinds.includes(kind)).length;
  const accounts = campaignAccounts(campaign);
  const fixes = placesOf(campaign)
    .map((place, at) => ({ place, fix: whole.fixes[at]! }))
    .toSorted((a, b) => Number(a.fix.state === "Taken") - Number(b.fix.state === "Taken"));
  const shown = fixes.map(({ place }) => place).slice(0, MAX_SHOWN);
  const originalOf = await originals(page, campaign, shown);
  const correctedBy = await corrections(page, campaign, shown);
  const isOwn = (one: CampaignAccount) => sameAddress(one.account, account);
  return {
    now,
    ...campaignRow(campaign, sight),
    ...{ about: whole.about, owner: whole.owner, why: campaignLines(campaign, sight).join("\n") },
    ...{ bond: money(whole.bond, token), reward: money(whole.reward, token) },
    held: money(whole.held, token),
    terms: termRows(whole, token),
    due: {
      ...{ refund: dueOf("refund"), take: dueOf("take", "empanel") },
      close: rules.allows({ kind: "close", by }, now),
    },
    entries: some(whole.entries.toReversed().map((one) => ({ ...one, deposit: money(one.deposit, token) }))),
    fixes: some(
      fixes.map(({ place, fix }) => ({
        ...fix,
        original: originalOf(place),
        corrected: correctedBy(place),
        absent: campaign.amendmentOf(place)!.original === NO_ROW,
        judges: rules.allows({ kind: "judge", by, place, right: true }, now),
      })),
    ),
    accounts: some(
      accounts.map((one) => ({
        ...{ account: one.account, own: isOwn(one) },
        ...{ paid: money(one.paid, token), credited: money(one.credited, token) },
        balance: money(balanceOf(one), token),
      })),
    ),
    history: historyOf(campaign, mostMoved(accounts, isOwn), sight),
    versions: all.map(versionData),
  };
}

function some<Item>(all: readonly Item[]) {
  return { count: all.length, shown: all.slice(0, MAX_SHOWN) };
}

function termRows(
  { owner, fee, windows, hidden }: ReturnType<typeof wholeCampaign>,
  token: CampaignSight["token"],
): [string, string][] {
  const shown = `${hidden.shown.length} of ${hidden.slices} slices are shown`;
  return [
    ["owner", owner],
    ["a panel", `three fees of ${money(fee, token)}`],
    ["time to fix a row", duration(windows.fix)],
    ["time for each step of a fix", duration(windows.step)],
    ["hidden test set", hidden.slices === 0 ? "none" : shown],
  ];
}

/** The rows that fixes are of, as far as this home has fetched them. */
async function originals(
  { context }: Pick<PageContext, "context">,
  campaign: Campaign,
  places: readonly FixPlace[],
) {
  const entries = [...new Set(places.map(({ entry }) => entry))].slice(0, MAX_READ.entries);
  const jobsDir = join(context.config.home, "jobs");
  const read = async (entry: number) =>
    [entry, await keptRows({ jobsDir }, campaign, entry, MAX_READ.bytes)] as const;
  const kept = new Map(await Promise.all(entries.map(read)));
  return ({ entry, row }: FixPlace): string | undefined => {
    const text = kept.get(entry)?.[row];
    return text === undefined ? undefined : neutraliseLine(text);
  };
}

/** What fixes put in the rows' places, as far as this home can read it. */
async function corrections(
  { context }: Pick<PageContext, "context">,
  campaign: Campaign,
  places: readonly FixPlace[],
) {
  const jobsDir = join(context.config.home, "jobs");
  const entries = [...new Set(places.map(({ entry }) => entry))].slice(0, MAX_READ.entries);
  const read = async (entry: number) => [entry, await keptKey({ jobsDir }, campaign, entry)] as const;
  const keys = new Map(await Promise.all(entries.map(read)));
  return (place: FixPlace): string | undefined => {
    if (campaign.amendmentOf(place)!.content.length > 2 + 2 * MAX_ROW_BYTES) return undefined;
    const text = correctionAt(campaign, place, keys.get(place.entry));
    return text === undefined ? undefined : neutraliseLine(text);
  };
}

/** Whose balances are drawn: this account's, and those that gained or lost most. */
function mostMoved(accounts: readonly CampaignAccount[], isOwn: (one: CampaignAccount) => boolean) {
  const moved = (one: CampaignAccount): bigint => (balanceOf(one) < 0n ? -balanceOf(one) : balanceOf(one));
  return accounts
    .toSorted((a, b) => Number(isOwn(b)) - Number(isOwn(a)) || Number(moved(b) - moved(a)))
    .slice(0, MAX_CURVES)
    .map((one) => one.account);
}

function historyOf(campaign: Campaign, accounts: readonly Hex[], { now, token }: CampaignSight) {
  const moments = campaignHistory(campaign, accounts, MAX_POINTS);
  const last = moments.at(-1)!;
  // It stands as the last event left it.
  if (now > last.at) moments.push({ ...last, at: now });
  return {
    at: moments.map(({ at }) => at),
    rows: moments.map(({ rows }) => rows),
    symbol: token.symbol,
    balances: accounts.map((account, i) => ({
      account,
      values: moments.map(({ balances }) => Number(amountText(balances[i]!, token.decimals))),
    })),
  };
}
