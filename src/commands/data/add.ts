import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHomeContent } from "../../compose.ts";
import { IchainError } from "../../errors/error.ts";
import { decodeRows, MAX_ROWS_BYTES } from "../../protocol/campaign/rows.ts";
import { shortId } from "../../protocol/ids.ts";
import { addRows } from "../../roles/campaign/market/add.ts";
import { refuseOverBudget } from "../../roles/job/requester/posting/budget.ts";
import { instant, money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { actIn, isAgreed } from "./act.ts";
import { following } from "./content/follow.ts";

/** Adds the lines of a file as rows, with a deposit for each. */
export async function run(
  context: CommandContext,
  { id, file }: { id: string; file?: string },
  options: { cid?: string; via?: readonly string[]; most?: bigint; yes?: true; dryRun?: true },
): Promise<void> {
  const { ui, signal } = context;
  const { cid, via = [] } = options;
  if ((file === undefined) === (cid === undefined)) {
    throw new IchainError("USAGE", "Rows come from one file.", {
      hint: "Name it, or give --cid and the CID of a public one.",
    });
  }
  const rows = decodeRows(file === undefined ? await fetchPublic(context, cid!, via) : await readRows(file));
  await actIn(context, id, async ({ role, campaign, token }) => {
    const { terms, rules } = campaign;
    const now = await role.market.now({ signal });
    const action = { kind: "add", by: role.account, count: rows.length } as const;
    if (!rules.isOpen || now > terms.closesAt)
      throw new IchainError("CAMPAIGN_INVALID_STATUS", "The campaign takes no rows any more.");
    if (!rules.allows(action, now)) {
      throw new IchainError(
        "CAMPAIGN_WRONG_COUNT",
        `The file has ${rows.length} rows, and the campaign takes ${rules.left} more.`,
      );
    }
    const deposit = options.most ?? rules.depositOf(rows.length, now);
    const amount = BigInt(rows.length) * deposit;
    const earns = BigInt(rows.length) * terms.price;
    const data = { campaignId: campaign.id, rows: rows.length, deposit, locks: amount, token };
    if (options.dryRun) {
      refuseOverBudget(role, { locked: amount, token });
      return ui.print({ ...data, dryRun: true }, () =>
        [
          `${rows.length} rows would lock ${money(amount, token)}, ${money(deposit, token)} each.`,
          `If all stand, that comes back after ${instant(now + terms.fixWindow)} with ${money(earns, token)}. A row that is fixed loses its deposit.`,
        ].join("\n"),
      );
    }
    const what = `Add ${rows.length} rows with deposits`;
    if (!(await isAgreed(context, role, { amount, token, what }, options))) return;
    const entry = await addRows(role, campaign, { rows, deposit, cid }, { signal });
    ui.print(
      { ...data, entry },
      () =>
        `${rows.length} rows are entry ${entry} of campaign ${shortId(campaign.id)}. Keep "ichain serve" running: it ${cid === undefined ? "shows them to others and " : ""}fetches the money.${cid === undefined ? "" : " See that the public file stays where others find it."}`,
    );
  });
}

async function readRows(file: string): Promise<Uint8Array> {
  return await readFile(file).catch((cause: unknown) => {
    throw new IchainError("CAMPAIGN_ROWS_INVALID", `The file ${file} cannot be read.`, { cause });
  });
}

/** The public file of a CID, from this home's blocks and where it is said to be. */
async function fetchPublic(
  context: CommandContext,
  cid: string,
  via: readonly string[],
): Promise<Uint8Array> {
  const content = await openHomeContent(context);
  const folder = await mkdtemp(join(tmpdir(), "ichain-rows-"));
  try {
    const path = join(folder, "rows.txt");
    const sources = [...via, ...context.config.campaigns.sources];
    await following(context, `Fetching ${cid}`, (watched) =>
      content.fetch(cid, path, { ...watched, sources, most: MAX_ROWS_BYTES }),
    );
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
