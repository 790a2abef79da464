import { shortId } from "../../protocol/ids.ts";
import { stakeEntry } from "../../roles/campaign/market/improvement/act.ts";
import { improvementOf } from "../../roles/campaign/market/improvement/replay.ts";
import { inToken } from "../../roles/campaign/market/open.ts";
import { money } from "../../ui/format.ts";
import { actIn, isAgreed } from "../data/act.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Stakes on an entry of this account's: as much as it thinks it worth. */
export async function run(
  context: CommandContext,
  { id, entry, amount: given }: { id: string; entry: number; amount: bigint },
  options: { yes?: true },
): Promise<void> {
  const { ui, signal } = context;
  await actIn(context, id, async ({ role, campaign, token }) => {
    improvementOf(campaign);
    const amount = inToken(given, token);
    const what = `Stake on entry ${entry}, which loses it where the entry makes the model worse,`;
    if (!(await isAgreed(context, role, { amount, token, what }, options))) return;
    await stakeEntry(role, campaign, { entry, amount }, { signal });
    ui.print(
      { campaignId: campaign.id, entry, amount, token },
      () =>
        `${money(amount, token)} are staked on entry ${entry} of campaign ${shortId(campaign.id)}. Keep "ichain serve" running: the panel needs its rows.`,
    );
  });
}
