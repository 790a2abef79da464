import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../async/abort.ts";
import type { Blob, HostIdentity, Hosting } from "../../../ports/transport.ts";
import { toHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { encodeLocator, rowsGuestKey } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { random32 } from "../../shared/random.ts";
import { campaignFiles, keepFile } from "./files.ts";

/** What the draft of an act says of rows that this home serves, as they are. */
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
  const { dir, own } = campaignFiles(context.jobsDir, campaign);
  const fresh = join(dir, `${random32().slice(2)}.new`);
  await keepFile(fresh, rows);
  const { root, size } = await context.parcels.plain(fresh, options);
  await rename(fresh, own(root));
  const locator = encodeLocator({ kind: "rows", rows: endpoint, rowsRoot: root, rowsBytes: size });
  return { blob: { root, size }, locator: toHex(locator) };
}

/** The rows that this home has added or shown, once the chain has them. */
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
