import type { Campaign } from "../../protocol/campaign/campaign.ts";
import { improvementOf } from "../../roles/campaign/market/improvement/replay.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";
import { readTokens } from "../steps/tokens.ts";
import { improvementData, payoutTitle } from "./view.ts";

/** Shows the improvement market of a campaign: offer, stakes, the panel's roots, and what was credited. */
export async function run(
  context: CommandContext,
  { id }: { id: string },
  options: { follow?: true },
): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async ({ market }) => {
    const campaignId = await market.resolveCampaign(id, { signal });
    const show = async (campaign: Campaign) => {
      improvementOf(campaign);
      const tokens = await readTokens(context, market, [campaign.terms.token], { signal });
      const panel = await market.improvementPanel(campaignId, { signal });
      const now = await market.now({ signal });
      const data = improvementData(campaign, { token: tokens(campaign.terms.token), now, panel });
      ui.print(data, () => textOf(ui, data));
    };
    if (!options.follow) return await show(await market.campaign(campaignId, { signal }));
    for await (const campaign of market.followCampaign(campaignId, { signal })) await show(campaign);
  });
}

function textOf(ui: CommandContext["ui"], data: ReturnType<typeof improvementData>): string {
  const { token, replay } = data;
  const paid = (sum: bigint | undefined) => (sum === undefined ? "" : `, credited ${money(sum, token)}`);
  const facts: [string, string][] = [
    ["campaign", data.campaignId],
    ["state", `${data.state}: ${data.stands}`],
    ["owner", `${data.owner}${paid(data.ownersPart)}`],
    ["bounty", `${money(data.bounty, token)}, and three fees of ${money(data.fee, token)}`],
    ["least stake", money(data.leastStake, token)],
    [
      "replay",
      replay === undefined ? "one that this release does not know" : `${replay.model}, ${replay.words} words`,
    ],
    ["holds", money(data.held, token)],
  ];
  const stakes = data.stakes.map(
    (one) => `${payoutTitle(one.entry)} of ${one.author}: ${money(one.amount, token)}${paid(one.paid)}`,
  );
  const panel = data.panel.map(
    (one) => `panel ${one.member}: ${one.root ?? (one.committed ? "committed" : "silent yet")}`,
  );
  return [ui.table(["", ""], facts), ...stakes, ...panel].join("\n");
}
