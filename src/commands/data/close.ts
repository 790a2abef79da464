import { shortId } from "../../protocol/ids.ts";
import { closeCampaign } from "../../roles/campaign/market/open.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { actIn } from "./act.ts";

/** Ends the adding: rows that were added keep what is locked for them, the rest goes back to the owner. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await actIn(context, id, async ({ role, campaign, token }) => {
    const back = BigInt(campaign.rules.left) * campaign.terms.price;
    await closeCampaign(role, campaign, { signal });
    ui.print(
      { campaignId: campaign.id, back, token },
      () => `Campaign ${shortId(campaign.id)} is closed: ${money(back, token)} go back to its owner.`,
    );
  });
}
