import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { JobId } from "../../protocol/ids.ts";
import type { RoleContext } from "../context.ts";
import { jobFolder } from "../shared/job-folder.ts";

/**
 * Removes the folders of jobs that are over, or that the journal does not know: a process that was killed while it
 * gave a job up leaves one. A requester's folders hold its results and are not asked about here.
 */
export async function sweepFolders(
  { jobsDir, journal, reporter }: Pick<RoleContext, "jobsDir" | "journal" | "reporter">,
  role: "provider" | "validator",
): Promise<void> {
  const names = await readdir(join(jobsDir, role)).catch(() => []);
  const open = new Set(journal.undertakings({ role, unfinished: true }).map(({ key }) => key.slice(2)));
  for (const name of names.filter((one) => !open.has(one))) {
    const { dir } = jobFolder(jobsDir, role, `0x${name}` as JobId);
    await rm(dir, { recursive: true, force: true }).catch((error: Error) =>
      reporter.emit({ kind: "warn", text: `The folder of a job that is over stays: ${error.message}` }),
    );
  }
}
