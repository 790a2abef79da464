import type { Abortable } from "../../../async/abort.ts";
import type { Blob, HostIdentity, Hosting } from "../../../ports/transport.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { rowsGuestKey } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { campaignFiles } from "./files.ts";

/** What the draft of an act says of rows that this home serves, as they are. */
export interface ServedRows {
  readonly blob: { readonly root: Hex; readonly size: number };
}

/** Where this home serves rows of campaigns: one address, which its locators name on the chain. */
export async function rowsIdentity({
  journal,
  transport,
}: Pick<RoleContext, "journal" | "transport">): Promise<HostIdentity> {
  return await journal.open("campaign", "hosting").step<HostIdentity, HostIdentity>("identity", {
    prepare: () => transport.newIdentity(),
    act: (identity) => identity,
  });
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
