import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { amountText } from "../../../protocol/amounts.ts";
import { type Campaign, replayCampaign } from "../../../protocol/campaign/campaign.ts";
import type { Version } from "../../../protocol/campaign/versions.ts";
import { type Hex, shortId } from "../../../protocol/ids.ts";
import { readVersions } from "../../../roles/campaign/versions/train.ts";
import { duration, instant, money } from "../../../ui/format.ts";
import { drawCurves } from "../../campaign/curves.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { type MarketView, withReader } from "../../steps/reader.ts";
import { fromRecords } from "../../steps/records.ts";
import { fixed } from "../../steps/view.ts";
import { type CampaignSight, campaignData, sightOf, wholeCampaign } from "./view.ts";

/** Shows a campaign: its terms, every entry and every fix, and what becomes of their money. */
export async function run(
  context: CommandContext,
  { id }: { id: string },
  options: { follow?: true; plot?: string },
): Promise<void> {
  await withReader(context, async (view) => {
    const campaignId = await view.market.resolveCampaign(id, { signal: context.signal });
    await showCampaign(context, view, campaignId, options);
  });
}

/** Shows the campaign now, or at every change until it holds nothing any more. */
export async function showCampaign(
  context: CommandContext,
  view: MarketView,
  campaignId: Hex,
  { follow, plot }: { follow?: true; plot?: string },
): Promise<void> {
  const { ui, signal } = context;
  const show = async (campaign: Campaign) => {
    const sight = await sightOf(context, view, campaign);
    if (plot !== undefined) {
      const versions = await fromRecords(context, (journal) =>
        readVersions({ market: view.market, journal }, campaign, { signal }),
      );
      const all =
        versions ?? (await readVersions({ market: view.market, journal: undefined }, campaign, { signal }));
      await writeFile(plot, drawCampaign(campaign, sight, all));
    }
    const whole = {
      ...wholeCampaign(campaign, sight),
      ...(plot !== undefined && { plot: resolve(plot) }),
    };
    ui.print(whole, () => textOf(ui, whole));
  };
  if (!follow) return await show(await view.market.campaign(campaignId, { signal }));
  for await (const campaign of view.market.followCampaign(campaignId, { signal })) await show(campaign);
}

/**
 * Rows over time, the score of the newest version, and what each account was credited with, as SVG.
 */
export function drawCampaign(campaign: Campaign, sight: CampaignSight, versions: readonly Version[]): string {
  const { token, now } = sight;
  const accounts = [...campaign.rules.owed.keys()];
  const added: { x: number; y: number }[] = [];
  const got = accounts.map((account) => ({ name: shortId(account), points: [] as typeof added }));
  for (const { rules, events, openedAt } of replayCampaign(campaign.events)) {
    const x = (events.at(-1)!.at - openedAt) / 86_400;
    added.push({ x, y: rules.entries.reduce((sum, { count }) => sum + count, 0) });
    for (const [i, account] of accounts.entries()) {
      const amount = amountText(rules.owed.get(account) ?? 0n, token.decimals);
      got[i]!.points.push({ x, y: Number(amount) });
    }
  }
  const end = (now - campaign.openedAt) / 86_400;
  added.push({ x: end, y: added.at(-1)!.y });
  const scored = scoresOf(campaign, versions);
  if (scored.length > 0) scored.push({ x: end, y: scored.at(-1)!.y });
  const { name } = campaignData(campaign, sight);
  return drawCurves(name ?? shortId(campaign.id), "days since the opening:", [
    { title: "Rows added", curves: [{ name: "rows", points: added }] },
    ...(scored.length > 0
      ? [{ title: "Score on the hidden test set, by version", curves: [{ name: "model", points: scored }] }]
      : []),
    ...(got.length > 0 ? [{ title: `Credited, ${token.symbol}`, curves: got }] : []),
  ]);
}

/** Of each version, when its rows were as it was trained on them; a score below 0 is no accuracy. */
function scoresOf({ events, openedAt }: Campaign, versions: readonly Version[]): { x: number; y: number }[] {
  return versions.flatMap(({ version, score, block }) => {
    if (version === undefined || score === undefined || score < 0n) return [];
    const { at } = events.findLast((event) => event.block <= block) ?? events[0]!;
    return [{ x: (at - openedAt) / 86_400, y: Number(fixed(score)) }];
  });
}

function textOf(ui: CommandContext["ui"], whole: ReturnType<typeof wholeCampaign>): string {
  const { token, windows, hidden } = whole;
  const facts: [string, string][] = [
    ["campaign", whole.campaignId],
    ["name", whole.name ?? "(its description is not what its terms have the hash of)"],
    ["about", whole.about ?? ""],
    [
      "state",
      `${whole.state}${whole.state === "open" ? `, takes rows until ${instant(whole.closesAt)}` : ""}`,
    ],
    ["you", whole.roles.join(", ") || "no part in it"],
    ["owner", whole.owner],
    ...(whole.readers === undefined
      ? []
      : ([
          ["read by", `its owner and ${whole.readers.length - 1} others; a panel of strangers cannot judge`],
        ] as [string, string][])),
    ["rows", `${whole.rows.added} added, ${whole.rows.left} left`],
    ["a row", `deposit ${money(whole.deposit, token)}, price ${money(whole.price, token)}`],
    ["a fix", `bond ${money(whole.bond, token)}, reward ${money(whole.reward, token)}`],
    ["a panel", `three fees of ${money(whole.fee, token)}`],
    ["windows", `to fix ${duration(windows.fix)}, each step ${duration(windows.step)}`],
    ["hidden", hidden.slices === 0 ? "none" : `${hidden.shown.length} of ${hidden.slices} slices are shown`],
    ["holds", money(whole.held, token)],
  ];
  const entries = whole.entries.map((one) => `entry ${one.entry} of ${one.author}: ${one.fate}`);
  const fixes = whole.fixes.map((one) => `fix ${one.place} of ${one.fixer}: ${one.fate}`);
  return [ui.table(["", ""], facts), ...entries, ...fixes].join("\n");
}
