import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parseYaml } from "../../config/yaml.ts";
import { IchainError } from "../../errors/error.ts";
import { COIN } from "../../protocol/amounts.ts";
import { type CampaignFile, campaignFileSchema } from "../../protocol/campaign/file.ts";
import { decodeRows } from "../../protocol/campaign/rows.ts";
import { campaignPriceOf } from "../../protocol/campaign/terms.ts";
import { type Hex, shortId } from "../../protocol/ids.ts";
import { beganToOpen, openCampaign, planOpening } from "../../roles/campaign/market/open.ts";
import type { RoleContext } from "../../roles/context.ts";
import { refuseOverBudget } from "../../roles/job/requester/posting/budget.ts";
import { tokenAddress } from "../../roles/tokens.ts";
import { instant, money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withRole } from "../steps/role.ts";
import { isAgreed } from "./act.ts";

/** Opens the campaign of a campaign.yaml: locks the price of all its rows. */
export async function run(
  context: CommandContext,
  { file: path }: { file: string },
  options: { private?: true; yes?: true; dryRun?: true },
): Promise<void> {
  const { ui, signal, config } = context;
  const file = parseYaml(
    { text: await readText(path), name: path, code: "CAMPAIGN_INVALID" },
    campaignFileSchema,
  );
  const { token: name, hidden: exam } = file.collection;
  const hidden = exam === undefined ? [] : decodeRows(await readBytes(resolve(dirname(path), exam.rows)));
  await withRole(context, async (role) => {
    const { market, account: owner } = role;
    const begun = beganToOpen(role);
    if (begun !== undefined) {
      throw new IchainError("CAMPAIGN_OPENING", `The opening of campaign ${shortId(begun)} is not ended.`);
    }
    const token =
      name === "coin"
        ? COIN
        : await market.token(tokenAddress(name, config.network?.tokens ?? {}), { signal });
    const isPrivate = options.private === true || file.collection.private !== undefined;
    const readers = isPrivate ? await readersFor(role, file) : undefined;
    const planned = await planOpening(market, { file, token, owner, hidden, readers }, { signal });
    const { id, terms } = planned.opening;
    const amount = campaignPriceOf(terms);
    const data = { campaignId: id, locks: amount, token, closesAt: terms.closesAt };
    refuseOverBudget(role, { locked: amount, token });
    if (options.dryRun) {
      return ui.print({ ...data, dryRun: true }, () =>
        [
          `It would lock ${money(amount, token)} for ${terms.rows} rows, and take rows until ${instant(terms.closesAt)}.`,
          `What no row has taken by then goes back to this account.`,
        ].join("\n"),
      );
    }
    const what = `Open "${file.name}" and lock the price of ${terms.rows} rows`;
    if (!(await isAgreed(context, role, { amount, token, what }, options))) return;
    await openCampaign(role, planned, { signal });
    ui.print(
      data,
      () =>
        `Campaign ${shortId(id)} takes rows until ${instant(terms.closesAt)}; ${money(amount, token)} are locked for them. Keep "ichain serve" running; judge fixes with "ichain data judge".`,
    );
  });
}

/**
 * Keys of those that can read the rows, this account's first.
 * @throws KEY_UNUSABLE: with such a key nobody could add rows
 */
async function readersFor({ keyring }: RoleContext, { collection }: CampaignFile): Promise<readonly Hex[]> {
  const named = (collection.private?.readers ?? []) as Hex[];
  for (const key of named) await keyring.agree(key, "check");
  return [keyring.publicKeys.onionKey, ...named];
}

async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}

async function readBytes(path: string): Promise<Uint8Array> {
  return await readFile(path).catch((cause: unknown) => {
    throw new IchainError("CAMPAIGN_INVALID", `The file ${path} cannot be read.`, { cause });
  });
}
