import { readFile, rm, stat } from "node:fs/promises";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import { fromHex } from "../../../protocol/bytes.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { decodeRows, MAX_ROWS_BYTES, rowDigest, rowsRoot } from "../../../protocol/campaign/rows.ts";
import { decodeLocator, rowsGuestKey } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { campaignFiles, keepFile } from "./files.ts";

type Context = Pick<RoleContext, "transport" | "jobsDir">;

/**
 * The rows of an entry: those of an earlier call, or fetched from where its author says they are. They are what the chain
 * has the root of, from any host.
 * @throws CAMPAIGN_ROWS_STRANGE, LOCATOR_MALFORMED, and the codes of `Transport.fetch`
 */
export async function rowsOf(
  { transport, jobsDir }: Context,
  campaign: Campaign,
  entry: number,
  options: Abortable,
): Promise<string[]> {
  const path = campaignFiles(jobsDir, campaign.id).entry(entry);
  const kept = await readFile(path).catch(() => undefined);
  if (kept !== undefined) return checkedRows(campaign, entry, kept);
  const locator = decodeLocator(fromHex(campaign.batches[entry]!.locator), "rows");
  const { rows, rowsRoot: root, rowsBytes } = locator;
  if (rowsBytes > MAX_ROWS_BYTES) throw strange(entry, "its rows take more than 64 MiB");
  const endpoint = { ...rows, guestKey: rowsGuestKey(rows) };
  const fetched = `${path}.part`;
  await keepFile(`${fetched}.note`, "");
  await transport.fetch(
    { endpoint, root, path: fetched, maxBytes: MAX_ROWS_BYTES, size: rowsBytes },
    options,
  );
  const bytes = await readFile(fetched);
  const found = checkedRows(campaign, entry, bytes);
  await keepFile(path, bytes);
  await Promise.all([fetched, `${fetched}.note`].map((one) => rm(one, { force: true })));
  return found;
}

/** The rows of an entry as an earlier call kept them here; undefined where none did, or they take more than `most` bytes. */
export async function keptRows(
  { jobsDir }: Pick<Context, "jobsDir">,
  campaign: Campaign,
  entry: number,
  most: number,
): Promise<string[] | undefined> {
  const path = campaignFiles(jobsDir, campaign.id).entry(entry);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size > most) return undefined;
  return (await readFile(path, "utf8")).split("\n");
}

/**
 * Rows of an entry from a file, however it came here, for later calls.
 * @throws CAMPAIGN_ROWS_STRANGE
 */
export async function takeRows(
  { jobsDir }: Pick<Context, "jobsDir">,
  campaign: Campaign,
  entry: number,
  bytes: Uint8Array,
): Promise<void> {
  checkedRows(campaign, entry, bytes);
  await keepFile(campaignFiles(jobsDir, campaign.id).entry(entry), bytes);
}

function checkedRows(campaign: Campaign, entry: number, bytes: Uint8Array): string[] {
  const rows = decodeRows(bytes);
  const { author, count } = campaign.rules.entries[entry]!;
  if (rows.length > count) throw strange(entry, `it has ${rows.length} rows where ${count} were added`);
  if (rowsRoot(author, rows) !== campaign.batches[entry]!.root)
    throw strange(entry, "the rows do not have the root that was added");
  return rows;
}

/** What became of a row, or is going to. */
export interface CampaignRowNow {
  readonly entry: number;
  readonly row: number;
  readonly text: string;
  /** `open`: it can still be fixed, or a fix of it is not taken. */
  readonly state: "accepted" | "corrected" | "open";
}

/**
 * The rows as the campaign has them now: fixed ones as they were corrected, removed ones left out. A correction whose
 * text is not what was committed to is left out too.
 */
export function currentRows(campaign: Campaign, entry: number, rows: readonly string[]): CampaignRowNow[] {
  const { rules } = campaign;
  return rows.flatMap((text, row): CampaignRowNow[] => {
    const { fixes, taken, fixedBy } = rules.rowOf({ entry, row });
    if (fixedBy === undefined) {
      const isOpen = !rules.entries[entry]!.refunded || taken < fixes.length;
      return [{ entry, row, text, state: isOpen ? "open" : "accepted" }];
    }
    const amendment = campaign.amendmentOf({ entry, row, fix: fixes.indexOf(fixedBy) })!;
    const corrected = new TextDecoder().decode(fromHex(amendment.content));
    const isWhole = !fixedBy.removes && rowDigest(corrected) === amendment.corrected;
    return isWhole ? [{ entry, row, text: corrected, state: "corrected" }] : [];
  });
}

function strange(entry: number, why: string): IchainError {
  return new IchainError("CAMPAIGN_ROWS_STRANGE", `Entry ${entry} cannot be used: ${why}.`);
}
