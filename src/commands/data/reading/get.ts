import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import { encodeRows } from "../../../protocol/campaign/rows.ts";
import { sameAddress, shortId } from "../../../protocol/ids.ts";
import { refuseStranger } from "../../../roles/campaign/market/private/readers.ts";
import {
  type CampaignRowNow,
  currentRows,
  keptKey,
  rowsOf,
  takeRows,
} from "../../../roles/campaign/market/rows.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { withRole } from "../../steps/role.ts";
import { getModel } from "../versions/get.ts";

/**
 * Fetches the rows of a campaign from those that added them, and writes them as they are now: fixed ones as they were
 * corrected. What another got hold of can be given by hand (`--from`). Or fetches a version's model (`--model`).
 */
export async function run(
  context: CommandContext,
  { id }: { id: string },
  options: {
    out?: string;
    entry?: number;
    from?: string;
    via?: readonly string[];
    accepted?: true;
    model?: number;
    most?: number;
  },
): Promise<void> {
  const { ui, signal } = context;
  const { model } = options;
  if (model !== undefined && (options.entry !== undefined || options.accepted))
    throw new IchainError("USAGE", "--model fetches a model, --entry and --accepted are of rows.", {
      hint: "Ask for one of them.",
    });
  if (options.from !== undefined && options.entry === undefined)
    throw new IchainError("USAGE", "A file has the rows of one entry.", { hint: "Name it with --entry." });
  await withRole(context, async (opened) => {
    const role = { ...opened, sources: [...(options.via ?? []), ...(opened.sources ?? [])] };
    const campaign = await role.market.campaign(await role.market.resolveCampaign(id, { signal }), {
      signal,
    });
    if (model !== undefined) return await getModel(context, role, campaign, { ...options, model });
    const { entries } = campaign.rules;
    const isOwn = ({ author }: { author: string }) => sameAddress(author, role.account);
    if (!entries.some(isOwn)) refuseStranger(role, campaign);
    if (options.entry !== undefined && entries[options.entry] === undefined)
      throw new IchainError("CAMPAIGN_NO_ENTRY", `The campaign has ${entries.length} entries.`);
    if (options.from !== undefined)
      await takeRows(role, campaign, options.entry!, await readFile(options.from), { signal });
    const wanted = options.entry === undefined ? [...entries.keys()] : [options.entry];
    const missing: { entry: number; code: string }[] = [];
    const found: CampaignRowNow[] = [];
    for (const entry of wanted) {
      try {
        const added = await rowsOf(role, campaign, entry, { signal });
        found.push(...currentRows(campaign, entry, added, await keptKey(role, campaign, entry)));
      } catch (error) {
        if (!isIchainError(error)) throw error;
        missing.push({ entry, code: error.code });
        ui.reporter.emit({ kind: "warn", text: `Entry ${entry} is left out: ${error.message}` });
      }
    }
    const rows = found.filter(({ state }) => !options.accepted || state !== "open");
    const folder = options.out ?? `campaign-${shortId(campaign.id)}`;
    await mkdir(folder, { recursive: true });
    const path = join(folder, "rows.txt");
    await writeFile(path, encodeRows(rows.map(({ text }) => text)));
    await writeFile(join(folder, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    ui.print(
      { campaignId: campaign.id, folder, rows: rows.length, missing },
      () =>
        `${rows.length} rows are in ${path}${missing.length > 0 ? `; ${missing.length} entries could not be had` : ""}. rows.jsonl beside it says of each where it is from.`,
    );
  });
}
