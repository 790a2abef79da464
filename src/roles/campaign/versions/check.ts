import { keccak256 } from "ethers";
import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import { type Campaign, campaignAsOf } from "../../../protocol/campaign/campaign.ts";
import { encodeRows } from "../../../protocol/campaign/rows.ts";
import {
  checkOfJob,
  entriesOf,
  type Publication,
  type VersionCheck,
} from "../../../protocol/campaign/versions.ts";
import type { JobId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { RoleContext } from "../../context.ts";
import type { RowsContext } from "../market/rows.ts";
import { acceptedRows } from "./accepted.ts";

/** A job by its id; undefined where the chain has none. */
export async function jobOf(
  { market }: { readonly market: Pick<RoleContext["market"], "job"> },
  id: JobId,
  options: Abortable,
): Promise<Job | undefined> {
  try {
    return await market.job(id, options);
  } catch (error) {
    if (isIchainError(error, "JOB_UNKNOWN")) return undefined;
    throw error;
  }
}

/**
 * Compares what was published of a version with its job, and its rows' digest with the rows that were accepted at its
 * block; those are fetched from their authors where they are not here.
 */
export async function checkVersion(
  context: RowsContext & Pick<RoleContext, "market">,
  campaign: Campaign,
  publication: Publication,
  options: Abortable & { readonly quietMs?: number | undefined },
): Promise<VersionCheck[]> {
  const job = await jobOf(context, publication.job, options);
  return [...checkOfJob(publication, job), await checkRows(context, campaign, publication, options)];
}

async function checkRows(
  context: RowsContext,
  campaign: Campaign,
  { asOf, without, rowsDigest, rows: count }: Publication,
  options: Abortable & { readonly quietMs?: number | undefined },
): Promise<VersionCheck> {
  const left = entriesOf(without);
  if (left === undefined) return { what: "rows", result: "wrong", why: "what it leaves out cannot be read" };
  const past = campaignAsOf(campaign, asOf);
  const { rows, missing } = await acceptedRows(context, past, new Set(left), options);
  const entries = missing.map(({ entry }) => entry).join(", ");
  if (missing.length > 0)
    return { what: "rows", result: "unknown", why: `the rows of entry ${entries} cannot be had` };
  const isSame = rows.length === count && keccak256(encodeRows(rows)) === rowsDigest;
  return isSame
    ? { what: "rows", result: "right" }
    : { what: "rows", result: "wrong", why: "the accepted rows at its block are others" };
}
