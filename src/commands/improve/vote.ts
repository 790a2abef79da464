import { shortId } from "../../protocol/ids.ts";
import { replayImprovement } from "../../roles/campaign/market/improvement/replay.ts";
import { voteRoot } from "../../roles/campaign/market/improvement/vote.ts";
import { money } from "../../ui/format.ts";
import { actIn } from "../data/act.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { payoutData, payoutTitle } from "./view.ts";

/** Replays a market, and votes for the root of its payouts as a member of its panel. */
export async function run(
  context: CommandContext,
  { id }: { id: string },
  options: { dryRun?: true },
): Promise<void> {
  const { ui, signal } = context;
  await actIn(context, id, async ({ role, campaign, token }) => {
    if (options.dryRun) {
      const { payouts, root } = await replayImprovement(role, campaign.id, { signal });
      const data = payouts.map(payoutData);
      return ui.print({ campaignId: campaign.id, root, payouts: data, dryRun: true }, () =>
        [
          `root ${root}`,
          ...data.map((one) => `${payoutTitle(one.entry)}: ${money(one.amount, token)} to ${one.account}`),
        ].join("\n"),
      );
    }
    const text =
      "The root is shown once the time to commit is over: this takes a while. Ctrl-C leaves that to `ichain validate` or `ichain resume`.";
    ui.reporter.emit({ kind: "info", text });
    const root = await voteRoot(role, campaign, { signal });
    ui.print(
      { campaignId: campaign.id, root },
      () => `Voted for ${root} in the market of campaign ${shortId(campaign.id)}.`,
    );
  });
}
