import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { JobId } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { type JobFolder, jobFolder } from "../../../shared/job-folder.ts";
import { isLost } from "../../../shared/lost-job.ts";
import { bundleBlobs, draftOf } from "../posting/draft.ts";
import { retrievalOf } from "./retrieval.ts";

/** Days for which the files of finished jobs are kept. */
export interface KeepFiles {
  readonly logDays: number;
  readonly recordDays: number;
  /** Of a result's encrypted copy, from the day on which it was opened. */
  readonly resultDays: number;
}

const DAY_MS = 86_400_000;
/** For which what a killed `submit` had packed is left, in case that it is not dead. */
const UNBEGUN_DAYS = 1;
type Home = Pick<RoleContext, "journal" | "jobsDir">;

/**
 * Removes the files of the requester's finished jobs, except those that `get` or `logs` still need, for as long as
 * `keep` says. Keeps a paid result until it has been opened. Files that cannot be removed now are left to the next call.
 */
export async function tidy(home: Home, keep: KeepFiles): Promise<void> {
  const names = await readdir(home.jobsDir).catch(() => []);
  // Of a `submit` or a `serve` that was killed while it packed.
  for (const name of names.filter((one) => /^\.(draft|again)-/.test(one))) {
    await removeOlder(join(home.jobsDir, name), UNBEGUN_DAYS);
  }
  const ids = await readdir(join(home.jobsDir, "requester")).catch(() => []);
  for (const id of ids.filter((one) => /^[0-9a-f]{64}$/.test(one))) {
    await tidyJob(home, `0x${id}`, keep).catch(() => undefined);
  }
  await tidyUnbegun(home);
}

/** Removes what was left of a federated job by a `submit` that was killed before it recorded its draft. */
async function tidyUnbegun({ journal, jobsDir }: Home): Promise<void> {
  const role = "federated-requester";
  for (const { key, openedAt } of journal.undertakings({ role, unfinished: true })) {
    const record = journal.open(role, key);
    if (record.intent("draft") !== undefined || Date.now() - openedAt < UNBEGUN_DAYS * DAY_MS) continue;
    await rm(jobFolder(jobsDir, role, key as JobId).dir, { recursive: true, force: true });
    record.finish("failed");
  }
}

async function tidyJob({ journal, jobsDir }: Home, jobId: JobId, keep: KeepFiles): Promise<void> {
  const folder = jobFolder(jobsDir, "requester", jobId);
  const undertaking = journal.find("requester", jobId);
  if (undertaking === undefined) return removeOlder(folder.dir, keep.recordDays);
  const record = journal.open("requester", jobId);
  if (undertaking.finished === undefined) {
    const isBegun = draftOf(record) !== undefined || isLost(record);
    if (isBegun || Date.now() - undertaking.openedAt < UNBEGUN_DAYS * DAY_MS) return;
    // Of a `submit` that was killed before it recorded its draft: nothing was posted.
    await rm(folder.dir, { recursive: true, force: true });
    record.finish("failed");
    return;
  }
  const older = (at: number | undefined, days: number) =>
    at !== undefined && at <= Date.now() - days * DAY_MS;
  const retrieval = retrievalOf(record);
  // The key of a failed job is never published.
  const closed = undertaking.finished === "failed" || older(retrieval?.at, keep.resultDays);
  const needed = closed ? [] : [folder.result, folder.report];
  if (!closed || !older(undertaking.finishedAt, keep.logDays)) needed.push(folder.reportFiles);
  // Of a job that was abandoned, for a while: its owner may post it again.
  if (undertaking.finished === "failed" && !older(undertaking.finishedAt, keep.resultDays))
    needed.push(...bundlePaths(record, folder), folder.exam, folder.checkpoint);
  // The folder also has leaf lists, and parts of parcels that were never fetched completely.
  for (const name of await readdir(folder.dir)) {
    const path = join(folder.dir, name);
    if (!needed.includes(path)) await rm(path, { recursive: true, force: true });
  }
  await rmdir(folder.dir); // fails while a file is left in it
}

function bundlePaths(record: JobJournal, folder: JobFolder): string[] {
  const draft = draftOf(record);
  return draft === undefined ? [folder.bundle] : bundleBlobs(draft).map(({ path }) => path);
}

async function removeOlder(path: string, days: number): Promise<void> {
  const { mtimeMs } = await stat(path);
  if (mtimeMs < Date.now() - days * DAY_MS) await rm(path, { recursive: true, force: true });
}
