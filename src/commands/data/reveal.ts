import { shortId } from "../../protocol/ids.ts";
import { revealSlice } from "../../roles/campaign/market/reveal.ts";
import { drawPanels } from "../../roles/campaign/market/settle.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { actIn } from "./act.ts";

/** Shows a slice of the hidden test set: the drawn one first, then the next. */
export async function run(
  context: CommandContext,
  { id }: { id: string },
  options: { slice?: number },
): Promise<void> {
  const { ui, signal } = context;
  await actIn(context, id, async ({ role, campaign }) => {
    await drawPanels(role, campaign.id, (_, { kind }) => kind === "drawSlice", { signal });
    const drawn = await role.market.campaign(campaign.id, { signal });
    const slice = await revealSlice(role, drawn, options.slice, { signal });
    ui.print(
      { campaignId: campaign.id, slice, of: campaign.terms.slices },
      () =>
        `Slice ${slice} of campaign ${shortId(campaign.id)} is shown. Keep "ichain serve" running: it serves the slice's rows.`,
    );
  });
}
