import { isIchainError } from "../../errors/error.ts";
import type { FixPlace } from "../../protocol/campaign/terms.ts";
import { shortId } from "../../protocol/ids.ts";
import { judgeFix, voteOn } from "../../roles/campaign/market/panel/judge.ts";
import { readersOf, refuseStranger } from "../../roles/campaign/market/private/readers.ts";
import { rowsOf } from "../../roles/campaign/market/rows.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { actIn, fixAt } from "./act.ts";
import { placeText } from "./reading/view.ts";

/** Says whether a fix is right: as the campaign's owner, or as a member of the panel that was drawn for it. */
export async function run(
  context: CommandContext,
  { id, fix: place, verdict }: { id: string; fix: FixPlace; verdict: string },
  options: { panel?: true },
): Promise<void> {
  const { ui, signal } = context;
  const right = verdict === "right";
  await actIn(context, id, async ({ role, campaign }) => {
    fixAt(campaign, place);
    if (readersOf(campaign) !== undefined) {
      refuseStranger(role, campaign);
      await rowsOf(role, campaign, place.entry, { signal }).catch((error: unknown) => {
        if (!isIchainError(error)) throw error;
        const text = `${error.message} What you say of it is told without a look at the rows.`;
        ui.reporter.emit({ kind: "warn", text });
      });
    }
    if (options.panel) {
      const text =
        "The vote is shown once the others of the panel have voted: this may take a while. Ctrl-C leaves that to `ichain validate` or `ichain resume`.";
      ui.reporter.emit({ kind: "info", text });
      await voteOn(role, campaign, { place, right }, { signal });
    } else await judgeFix(role, campaign, { place, right }, { signal });
    ui.print(
      { campaignId: campaign.id, place: placeText(place), verdict: right ? "right" : "wrong" },
      () =>
        `Fix ${placeText(place)} of campaign ${shortId(campaign.id)} is ${options.panel ? "voted" : "judged"} ${verdict}.`,
    );
  });
}
