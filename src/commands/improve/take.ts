import { shortId } from "../../protocol/ids.ts";
import { claimPayouts, settleImprovement } from "../../roles/campaign/market/improvement/settle.ts";
import { money } from "../../ui/format.ts";
import { actIn } from "../data/act.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { payoutData } from "./view.ts";

/** Moves a market on as far as anyone can now, and credits all accounts with what it comes to. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await actIn(context, id, async ({ role, campaign, token }) => {
    const done = await settleImprovement(role, campaign.id, { signal });
    const claimed = (await claimPayouts(role, campaign.id, { signal })).map(payoutData);
    ui.print({ campaignId: campaign.id, done: done.map(({ kind }) => kind), claimed }, () => {
      if (done.length + claimed.length === 0)
        return `Nothing is due now. "ichain improve show ${shortId(campaign.id)}" says what opens when.`;
      const acts = done.length === 0 ? [] : [`Done: ${done.map(({ kind }) => kind).join(", ")}.`];
      const credits = claimed.map(
        ({ account, amount }) => `Credited ${account} with ${money(amount, token)}.`,
      );
      return [...acts, ...credits, '"ichain wallet withdraw" pays out what is owed.'].join("\n");
    });
  });
}
