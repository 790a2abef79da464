import { readFile } from "node:fs/promises";
import { IchainError } from "../../errors/error.ts";
import { decodeRows } from "../../protocol/campaign/rows.ts";
import { shortId } from "../../protocol/ids.ts";
import { addRows } from "../../roles/campaign/market/add.ts";
import { refuseOverBudget } from "../../roles/job/requester/posting/budget.ts";
import { instant, money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { actIn, isAgreed } from "./act.ts";

/** Adds the lines of a file as rows, with a deposit for each. */
export async function run(
  context: CommandContext,
  { id, file }: { id: string; file: string },
  options: { most?: bigint; yes?: true; dryRun?: true },
): Promise<void> {
  const { ui, signal } = context;
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new IchainError("CAMPAIGN_ROWS_INVALID", `The file ${file} cannot be read.`, { cause });
  });
  const rows = decodeRows(bytes);
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
    const entry = await addRows(role, campaign, { rows, deposit }, { signal });
    ui.print(
      { ...data, entry },
      () =>
        `${rows.length} rows are entry ${entry} of campaign ${shortId(campaign.id)}. Keep "ichain serve" running: it shows them to others and fetches the money.`,
    );
  });
}
