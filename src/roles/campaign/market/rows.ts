import { readFile, rm, stat } from "node:fs/promises";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError, impossible } from "../../../errors/error.ts";
import { fromHex } from "../../../protocol/bytes.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { decodeRows, MAX_ROWS_BYTES, rowDigest, rowSalt, rowsRoot } from "../../../protocol/campaign/rows.ts";
import { type FixPlace, NO_ROW } from "../../../protocol/campaign/terms.ts";
import { type Hex, isHex, sameAddress } from "../../../protocol/ids.ts";
import { decodeLocator, rowsGuestKey } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { campaignFiles, keepFile } from "./files.ts";
import { MAX_SEALED_ROWS_BYTES, openRows } from "./private/parcel.ts";
import { readersOf, refuseStranger } from "./private/readers.ts";
import { decodeCorrection } from "./private/seal.ts";

/** What it takes to have an entry's rows. */
export type RowsContext = Pick<
  RoleContext,
  "account" | "transport" | "jobsDir" | "keyring" | "parcels" | "content" | "sources"
>;

/**
 * The rows of an entry: those of an earlier call, or fetched from where its author says they are. They are what the chain
 * has the root of, from any host.
 * @param options `quietMs`: as a transport's; three minutes unless given.
 * @throws CAMPAIGN_ROWS_STRANGE, LOCATOR_MALFORMED, and the codes of `Transport.fetch` and `Content.fetch`; in a private campaign
 *   CAMPAIGN_PRIVATE, CAMPAIGN_PARCEL_STRANGE
 */
export async function rowsOf(
  context: RowsContext,
  campaign: Campaign,
  entry: number,
  { signal, quietMs }: Abortable & { readonly quietMs?: number | undefined },
): Promise<string[]> {
  const { jobsDir, account } = context;
  const path = campaignFiles(jobsDir, campaign.id).entry(entry);
  const kept = await readFile(path).catch(() => undefined);
  if (kept !== undefined) return checkedRows(campaign, entry, kept, await keptKey(context, campaign, entry));
  if (!sameAddress(campaign.rules.entries[entry]!.author, account)) refuseStranger(context, campaign);
  const fetched = `${path}.part`;
  await fetchEntry(context, campaign, { entry, fetched, quietMs }, { signal });
  const found = await takeRows(context, campaign, entry, await readFile(fetched), { signal });
  await Promise.all([fetched, `${fetched}.note`].map((one) => rm(one, { force: true })));
  return found;
}

/** Fetches what an author says are its rows, from its home or from any that has the public file. */
async function fetchEntry(
  { transport, content, sources = [] }: RowsContext,
  campaign: Campaign,
  {
    entry,
    fetched,
    quietMs,
  }: { readonly entry: number; readonly fetched: string; readonly quietMs: number | undefined },
  options: Abortable,
): Promise<void> {
  const most = readersOf(campaign) === undefined ? MAX_ROWS_BYTES : MAX_SEALED_ROWS_BYTES;
  const locator = decodeLocator(fromHex(campaign.batches[entry]!.locator), "rows", "content");
  await keepFile(`${fetched}.note`, "");
  if (locator.kind === "content") {
    await (content ?? impossible("a home without public data")).fetch(locator.cid, fetched, {
      ...options,
      sources,
      most,
    });
    return;
  }
  const { rows, rowsRoot: root, rowsBytes } = locator;
  if (rowsBytes > most) throw strange(entry, "its rows take more than 64 MiB");
  const endpoint = { ...rows, guestKey: rowsGuestKey(rows) };
  await transport.fetch({ endpoint, root, path: fetched, maxBytes: most, size: rowsBytes, quietMs }, options);
}

/** The key of an entry's parcel as an earlier {@link rowsOf} kept it; undefined in a public campaign. */
export async function keptKey(
  { jobsDir }: Pick<RowsContext, "jobsDir">,
  campaign: Campaign,
  entry: number,
): Promise<Hex | undefined> {
  if (readersOf(campaign) === undefined) return undefined;
  const text = await readFile(campaignFiles(jobsDir, campaign.id).key(entry), "utf8").catch(() => "");
  return isHex(text, 32) ? text : undefined;
}

/** The rows of an entry as an earlier call kept them here; undefined where none did, or they take more than `most` bytes. */
export async function keptRows(
  { jobsDir }: Pick<RowsContext, "jobsDir">,
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
 * Rows of an entry as they came, by whatever way, for later calls; in a private campaign the sealed parcel.
 * @throws CAMPAIGN_ROWS_STRANGE, CAMPAIGN_PARCEL_STRANGE
 */
export async function takeRows(
  context: Omit<RowsContext, "transport">,
  campaign: Campaign,
  entry: number,
  bytes: Uint8Array,
  options: Abortable,
): Promise<string[]> {
  const files = campaignFiles(context.jobsDir, campaign.id);
  const { id, batches } = campaign;
  if (readersOf(campaign) === undefined) {
    const found = checkedRows(campaign, entry, bytes, undefined);
    await keepFile(files.entry(entry), bytes);
    return found;
  }
  const sealed = { campaign: id, root: batches[entry]!.root, entry, sealed: bytes };
  const { key, rows } = await openRows(context, sealed, options);
  const found = checkedRows(campaign, entry, rows, key);
  await keepFile(files.key(entry), key);
  await keepFile(files.entry(entry), rows);
  return found;
}

function checkedRows(campaign: Campaign, entry: number, bytes: Uint8Array, key: Hex | undefined): string[] {
  const rows = decodeRows(bytes);
  const { author, count } = campaign.rules.entries[entry]!;
  if (rows.length > count) throw strange(entry, `it has ${rows.length} rows where ${count} were added`);
  if (rowsRoot(author, rows, key) !== campaign.batches[entry]!.root)
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
 * @param key Of the entry's parcel, in a private campaign ({@link keptKey}).
 */
export function currentRows(
  campaign: Campaign,
  entry: number,
  rows: readonly string[],
  key?: Hex,
): CampaignRowNow[] {
  const { rules } = campaign;
  return rows.flatMap((text, row): CampaignRowNow[] => {
    const { fixes, taken, fixedBy } = rules.rowOf({ entry, row });
    if (fixedBy === undefined) {
      const isOpen = !rules.entries[entry]!.refunded || taken < fixes.length;
      return [{ entry, row, text, state: isOpen ? "open" : "accepted" }];
    }
    const corrected = correctionAt(campaign, { entry, row, fix: fixes.indexOf(fixedBy) }, key);
    return corrected === undefined ? [] : [{ entry, row, text: corrected, state: "corrected" }];
  });
}

/** The row that a fix puts in another's place; undefined where it removes one, or does not show what it is of. */
export function correctionAt(campaign: Campaign, place: FixPlace, key: Hex | undefined): string | undefined {
  const { corrected, content } = campaign.amendmentOf(place)!;
  if (corrected === NO_ROW) return undefined;
  const text = decodeCorrection(content, key);
  return text !== undefined && rowDigest(text, rowSalt(key, place.row)) === corrected ? text : undefined;
}

function strange(entry: number, why: string): IchainError {
  return new IchainError("CAMPAIGN_ROWS_STRANGE", `Entry ${entry} cannot be used: ${why}.`);
}
