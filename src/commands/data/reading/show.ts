import { duration, instant, money } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { withReader } from "../../steps/reader.ts";
import { sightOf, wholeCampaign } from "./view.ts";

/** Shows a campaign: its terms, every entry and every fix, and what becomes of their money. */
export async function run(
  context: CommandContext,
  { id }: { id: string },
  options: { follow?: true },
): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async (view) => {
    const campaignId = await view.market.resolveCampaign(id, { signal });
    const show = async (campaign: Awaited<ReturnType<typeof view.market.campaign>>) => {
      const whole = wholeCampaign(campaign, await sightOf(context, view, campaign));
      ui.print(whole, () => textOf(ui, whole));
    };
    if (!options.follow) return await show(await view.market.campaign(campaignId, { signal }));
    for await (const campaign of view.market.followCampaign(campaignId, { signal })) await show(campaign);
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
