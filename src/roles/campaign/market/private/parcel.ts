import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import { fromHex, toHex } from "../../../../protocol/bytes.ts";
import { MAX_READERS } from "../../../../protocol/campaign/brief.ts";
import { encodeRows, MAX_ROWS_BYTES, rowsRoot } from "../../../../protocol/campaign/rows.ts";
import type { Hex } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { campaignFiles } from "../files.ts";
import { openBytes, SEAL_BYTES, sealBytes } from "./seal.ts";

/**
 * An entry of a private campaign as it travels: magic ‖ the author's onion key ‖ how many capsules ‖ capsules ‖ a parcel
 * with one file. Each capsule is the parcel's key, sealed under what author and one reader agree on for this campaign and
 * this root (`Keyring.agree`): it opens nothing of another entry.
 */
const MAGIC = toHex(new TextEncoder().encode("ichrows1"));
const MAGIC_BYTES = 8;
const KEY_BYTES = 32;
const CAPSULE_BYTES = KEY_BYTES + SEAL_BYTES;
/** Readers, the owner and the author. */
const MAX_CAPSULES = MAX_READERS + 2;
const FILE = "rows.txt";
/** Of the whole: rows that cannot be compressed, and what signs and frames them. */
export const MAX_SEALED_ROWS_BYTES = MAX_ROWS_BYTES + (4 << 20);

type Context = Pick<RoleContext, "account" | "keyring" | "parcels" | "jobsDir">;

const noteSchema = z.object({ campaign: z.string(), root: z.string() });

/**
 * The key of the parcel of these rows: the author's alone to derive, and the same each time, so that rows that are added
 * again are known to be the same.
 */
export async function entryKeyFor(
  { keyring, account }: Pick<Context, "account" | "keyring">,
  campaign: Hex,
  rows: readonly string[],
): Promise<Hex> {
  const purpose = `campaign-entry/${campaign}/${rowsRoot(account, rows)}`;
  return await keyring.agree(keyring.publicKeys.onionKey, purpose);
}

/**
 * Rows as they travel, for `readers` and the author.
 * @param root Of the tree over the rows under `key`.
 * @throws KEY_UNUSABLE where a reader's key is none
 */
export async function sealRows(
  context: Context,
  { campaign, root, key, rows }: { campaign: Hex; root: Hex; key: Hex; rows: readonly string[] },
  readers: readonly Hex[],
  options: Abortable,
): Promise<Uint8Array> {
  const { keyring, parcels } = context;
  const { onionKey } = keyring.publicKeys;
  const capsules = await Promise.all(
    [...new Set([...readers, onionKey])].map(async (reader) =>
      sealBytes(await keyring.agree(reader, purposeOf(campaign, root)), fromHex(key)),
    ),
  );
  await using folder = await workFolder(context, campaign);
  await writeFile(join(folder.path, FILE), encodeRows(rows), { mode: 0o600 });
  const { blob } = await parcels.pack(
    {
      ...{ root: folder.path, paths: [FILE], out: join(folder.path, "parcel"), sessionKey: key },
      note: { campaign, root },
    },
    options,
  );
  const head = [fromHex(MAGIC), fromHex(onionKey), Uint8Array.of(capsules.length)];
  return Buffer.concat([...head, ...capsules, await readFile(blob.path)]);
}

/**
 * Opens what {@link sealRows} made. That the rows have `root` is for the caller to look at.
 * @throws CAMPAIGN_PARCEL_STRANGE; PARCEL_IO, PARCEL_DISK_FULL
 */
export async function openRows(
  context: Context,
  { campaign, root, entry, sealed }: { campaign: Hex; root: Hex; entry: number; sealed: Uint8Array },
  options: Abortable,
): Promise<{ readonly key: Hex; readonly rows: Uint8Array }> {
  const { author, capsules, parcel } = split(entry, sealed);
  try {
    const shared = await context.keyring.agree(author, purposeOf(campaign, root));
    const found = capsules.map((one) => openBytes(shared, one)).find((one) => one !== undefined);
    if (found === undefined) throw strange(entry, "none of its capsules opens with this account's key");
    const key = toHex(found);
    await using folder = await workFolder(context, campaign);
    const path = join(folder.path, "parcel");
    await writeFile(path, parcel, { mode: 0o600 });
    const blob = await context.parcels.plain(path, options);
    const into = join(folder.path, "opened");
    const limits = { maxBytes: MAX_ROWS_BYTES, maxFiles: 1 };
    const { manifest } = await context.parcels.open({ blob, sessionKey: key, into, limits }, options);
    const note = noteSchema.safeParse(manifest.note).data;
    if (note?.campaign !== campaign || note.root !== root) throw strange(entry, "it is of another entry");
    if (manifest.files[0]?.path !== FILE) throw strange(entry, `it has no ${FILE}`);
    return { key, rows: await readFile(join(into, FILE)) };
  } catch (error) {
    const isHostile =
      isIchainError(error) && error.class === "untrusted" && error.code !== "CAMPAIGN_PARCEL_STRANGE";
    throw isHostile ? strange(entry, error.message, error) : error;
  }
}

function split(entry: number, sealed: Uint8Array) {
  const head = MAGIC_BYTES + KEY_BYTES + 1;
  const count = sealed[head - 1] ?? 0;
  const end = head + count * CAPSULE_BYTES;
  if (sealed.length > MAX_SEALED_ROWS_BYTES || toHex(sealed.subarray(0, MAGIC_BYTES)) !== MAGIC)
    throw strange(entry, "it is no sealed parcel of rows");
  if (count === 0 || count > MAX_CAPSULES || sealed.length < end)
    throw strange(entry, "its capsules are malformed");
  const capsuleAt = (i: number) => sealed.subarray(head + i * CAPSULE_BYTES, head + (i + 1) * CAPSULE_BYTES);
  return {
    author: toHex(sealed.subarray(MAGIC_BYTES, MAGIC_BYTES + KEY_BYTES)),
    capsules: Array.from({ length: count }, (_, i) => capsuleAt(i)),
    parcel: sealed.subarray(end),
  };
}

function purposeOf(campaign: Hex, root: Hex): string {
  return `campaign-rows/${campaign}/${root}`;
}

/** A folder for this work alone, beside what the home keeps of the campaign. */
async function workFolder({ jobsDir }: Context, campaign: Hex) {
  const { dir } = campaignFiles(jobsDir, campaign);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = await mkdtemp(join(dir, "parcel-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function strange(entry: number, why: string, cause?: unknown): IchainError {
  return new IchainError("CAMPAIGN_PARCEL_STRANGE", `The parcel of entry ${entry} cannot be used: ${why}`, {
    cause,
  });
}
