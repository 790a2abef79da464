import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { JobId } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { gotOf } from "./got.ts";

/** Days that files of jobs that are over stay. */
export interface KeepFiles {
  readonly logDays: number;
  readonly recordDays: number;
  /** Of a result's encrypted copy, counted from when it was opened. */
  readonly resultDays: number;
}

const DAY_MS = 86_400_000;
type Home = Pick<RoleContext, "journal" | "jobsDir">;

/**
 * Removes what nobody asks for any more of the requester's files: of jobs that are over all but what a
 * `get` or `logs` still needs, for as long as `keep` says. A paid result that was never opened stays. What
 * cannot be removed now is left to the next time.
 */
export async function tidy(home: Home, keep: KeepFiles): Promise<void> {
  const names = await readdir(home.jobsDir).catch(() => []);
  // What a `submit` that was killed while it packed has left.
  for (const name of names.filter((one) => one.startsWith(".draft-"))) {
    await removeOlder(join(home.jobsDir, name), 1);
  }
  const ids = await readdir(join(home.jobsDir, "requester")).catch(() => []);
  for (const id of ids.filter((one) => /^[0-9a-f]{64}$/.test(one))) {
    await tidyJob(home, `0x${id}`, keep).catch(() => undefined);
  }
}

async function tidyJob({ journal, jobsDir }: Home, jobId: JobId, keep: KeepFiles): Promise<void> {
  const folder = jobFolder(jobsDir, "requester", jobId);
  const undertaking = journal.find("requester", jobId);
  if (undertaking === undefined) return removeOlder(folder.dir, keep.recordDays);
  if (undertaking.finished === undefined) return;
  const older = (at: number | undefined, days: number) =>
    at !== undefined && at <= Date.now() - days * DAY_MS;
  const got = gotOf(journal.open("requester", jobId));
  // Of a job that failed nobody will ever have the key.
  const closed = undertaking.finished === "failed" || older(got?.at, keep.resultDays);
  const needed = closed ? [] : [folder.result, folder.report];
  if (!closed || !older(undertaking.finishedAt, keep.logDays)) needed.push(folder.reportFiles);
  // Beside the parcels lie leaf lists, and parts of what was never fetched whole.
  for (const name of await readdir(folder.dir)) {
    const path = join(folder.dir, name);
    if (!needed.includes(path)) await rm(path, { recursive: true, force: true });
  }
  await rmdir(folder.dir); // fails while something is left in it
}

async function removeOlder(path: string, days: number): Promise<void> {
  const { mtimeMs } = await stat(path);
  if (mtimeMs < Date.now() - days * DAY_MS) await rm(path, { recursive: true, force: true });
}
