import { IchainError } from "../../errors/error.ts";
import { MAX_ROW_BYTES } from "../../protocol/campaign/rows.ts";
import { shortId } from "../../protocol/ids.ts";
import { fixRow } from "../../roles/campaign/market/fix.ts";
import { readersOf, refuseStranger } from "../../roles/campaign/market/private/readers.ts";
import { SEAL_BYTES } from "../../roles/campaign/market/private/seal.ts";
import { keptKey, rowsOf } from "../../roles/campaign/market/rows.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import type { RowPlace } from "../framework/parse.ts";
import { actIn, isAgreed } from "./act.ts";
import { placeText } from "./reading/view.ts";

/** Corrects or removes another's row, with a bond. */
export async function run(
  context: CommandContext,
  { id, row: place }: { id: string; row: RowPlace },
  options: { with?: string; remove?: true; absent?: true; yes?: true },
): Promise<void> {
  const { ui, signal } = context;
  const corrected = options.with;
  if ([corrected, options.remove, options.absent].filter((one) => one !== undefined).length !== 1) {
    throw new IchainError("USAGE", "A fix says one thing of a row.", {
      hint: "Give either --with and the row as it should be, or --remove, or --absent.",
    });
  }
  if (corrected !== undefined && (corrected === "" || /\n/.test(corrected)))
    throw unfit("it is empty, or has several lines");
  await actIn(context, id, async ({ role, campaign, token }) => {
    const { entry, row } = place;
    const known = campaign.rules.entries[entry];
    if (known === undefined || row >= known.count)
      throw new IchainError(
        "CAMPAIGN_NO_ROW",
        `Campaign ${shortId(campaign.id)} has no row ${entry}/${row}.`,
      );
    refuseStranger(role, campaign);
    const sealed = readersOf(campaign) === undefined ? 0 : SEAL_BYTES;
    if (corrected !== undefined && Buffer.byteLength(corrected) > MAX_ROW_BYTES - sealed)
      throw unfit(`it has more than ${MAX_ROW_BYTES - sealed} bytes`);
    const rows = options.absent ? undefined : await rowsOf(role, campaign, entry, { signal });
    if (rows !== undefined && rows[row] === undefined) {
      throw new IchainError("CAMPAIGN_NO_ROW", `The rows of entry ${entry} have no row ${row}.`, {
        hint: "Say so with --absent.",
      });
    }
    const amount = campaign.terms.bond;
    const what = `Fix row ${entry}/${row}, for a bond that a false fix loses,`;
    if (!(await isAgreed(context, role, { amount, token, what }, options))) return;
    const key = await keptKey(role, campaign, entry);
    const fixed = await fixRow(role, campaign, { entry, row, rows, corrected, key }, { signal });
    ui.print(
      { campaignId: campaign.id, place: placeText(fixed), bond: amount, token },
      () =>
        `Fix ${placeText(fixed)} is made for a bond of ${money(amount, token)}; the campaign's owner judges it. "ichain data show ${shortId(campaign.id)}" says what comes of it.`,
    );
  });
}

function unfit(why: string): IchainError {
  return new IchainError("CAMPAIGN_ROWS_INVALID", `The corrected row cannot be used: ${why}.`);
}
