import { campaignFeesOf, type FixPlace } from "../../protocol/campaign/terms.ts";
import { shortId } from "../../protocol/ids.ts";
import { appealFix } from "../../roles/campaign/market/panel/judge.ts";
import { readersOf } from "../../roles/campaign/market/private/readers.ts";
import { concerns, drawPanels } from "../../roles/campaign/market/settle.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { actIn, fixAt, isAgreed } from "./act.ts";
import { placeText } from "./reading/view.ts";

/** Has a panel judge a fix, as its fixer or the row's author, and stays until it is drawn. */
export async function run(
  context: CommandContext,
  { id, fix: place }: { id: string; fix: FixPlace },
  options: { yes?: true },
): Promise<void> {
  const { ui, signal } = context;
  await actIn(context, id, async ({ role, campaign, token }) => {
    fixAt(campaign, place);
    if (readersOf(campaign) !== undefined) {
      const text =
        "Of the panel only readers of this campaign can vote: unless two are drawn, the owner's verdict stands and the fees come back.";
      ui.reporter.emit({ kind: "warn", text });
    }
    const amount = campaignFeesOf(campaign.terms);
    const what = `Have a panel judge fix ${placeText(place)}`;
    if (!(await isAgreed(context, role, { amount, token, what }, options))) return;
    await appealFix(role, campaign, place, { signal });
    await drawPanels(role, campaign.id, concerns(role.account), { signal });
    const panel = [...fixAt(await role.market.campaign(campaign.id, { signal }), place).votes.keys()];
    ui.print(
      { campaignId: campaign.id, place: placeText(place), fees: amount, token, panel },
      () =>
        `Fix ${placeText(place)} of campaign ${shortId(campaign.id)} is appealed for ${money(amount, token)}: ${panel.length === 0 ? "no panel could be drawn" : `${panel.map(shortId).join(", ")} judge it`}.`,
    );
  });
}
