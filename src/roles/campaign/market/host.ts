import { constants } from "node:fs";
import { copyFile, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../async/abort.ts";
import type { Blob, HostIdentity, Hosting } from "../../../ports/transport.ts";
import { toHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { encodeLocator, rowsGuestKey } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { random32 } from "../../shared/random.ts";
import { campaignFiles, keepFile } from "./files.ts";

/** What the draft of an act says of rows, or of a model, that this home serves as they are. */
export interface ServedRows {
  readonly blob: { readonly root: Hex; readonly size: number };
}

/** Where this home serves rows of campaigns: one address, which its locators name on the chain. */
async function rowsIdentity({
  journal,
  transport,
}: Pick<RoleContext, "journal" | "transport">): Promise<HostIdentity> {
  return await journal.open("campaign", "hosting").step<HostIdentity, HostIdentity>("identity", {
    prepare: () => transport.newIdentity(),
    act: (identity) => identity,
  });
}

/** Keeps rows for serving them, and says where: what `add` and `reveal` give to the chain. */
export async function keepServed(
  context: RoleContext,
  campaign: Hex,
  rows: Uint8Array,
  options: Abortable,
): Promise<ServedRows & { readonly locator: Hex }> {
  const { endpoint } = await rowsIdentity(context);
  const blob = await keepBlob(context, campaign, (path) => keepFile(path, rows), options);
  const locator = encodeLocator({
    ...{ kind: "rows", rows: endpoint },
    ...{ rowsRoot: blob.root, rowsBytes: blob.size },
  });
  return { blob, locator: toHex(locator) };
}

/** The same of a model: the encrypted result `parcel` of a job, and the key that opens it. */
export async function keepModel(
  context: RoleContext,
  campaign: Hex,
  { parcel, key }: { readonly parcel: string; readonly key: Hex },
  options: Abortable,
): Promise<ServedRows & { readonly locator: Hex }> {
  const { endpoint } = await rowsIdentity(context);
  const copy = (path: string) => copyFile(parcel, path, constants.COPYFILE_FICLONE);
  const blob = await keepBlob(context, campaign, copy, options);
  const locator = encodeLocator({
    ...{ kind: "model", model: endpoint },
    ...{ modelRoot: blob.root, modelBytes: blob.size, modelKey: key },
  });
  return { blob, locator: toHex(locator) };
}

async function keepBlob(
  { jobsDir, parcels }: Pick<RoleContext, "jobsDir" | "parcels">,
  campaign: Hex,
  write: (path: string) => Promise<void>,
  options: Abortable,
): Promise<ServedRows["blob"]> {
  const { dir, own } = campaignFiles(jobsDir, campaign);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const fresh = join(dir, `${random32().slice(2)}.new`);
  await write(fresh);
  const { root, size } = await parcels.plain(fresh, options);
  await rename(fresh, own(root));
  return { root, size };
}

/** What this home has added, shown or published, once the chain has it. */
export function ownRows({ journal, jobsDir }: Pick<RoleContext, "journal" | "jobsDir">): Blob[] {
  return journal.undertakings({ role: "campaign" }).flatMap(({ key }) => {
    const record = journal.open("campaign", key);
    if (record.outcome("call") === undefined) return [];
    const blob = record.outcome<Partial<ServedRows>>("draft")?.blob;
    const [campaign] = key.split("/") as [Hex];
    return blob === undefined ? [] : [{ ...blob, path: campaignFiles(jobsDir, campaign).own(blob.root) }];
  });
}

/** Serves this home's rows to everybody, until it is stopped. */
export async function hostRows(context: RoleContext, options: Abortable): Promise<Hosting> {
  const identity = await rowsIdentity(context);
  const { endpoint } = identity;
  const request = { identity, blobs: ownRows(context), readers: [], guestKey: rowsGuestKey(endpoint) };
  return await context.transport.host(request, options);
}
