import { join } from "node:path";
import type { Role } from "../../ports/journal.ts";
import type { JobId } from "../../protocol/ids.ts";

/** Where the files of one job lie, for one role: nothing of two jobs or two roles ever mixes. */
export function jobFolder(jobsDir: string, role: Role, jobId: JobId) {
  const dir = join(jobsDir, role, jobId.slice(2));
  return {
    dir,
    bundle: join(dir, "bundle.parcel"),
    input: join(dir, "in"),
    result: join(dir, "result.parcel"),
    report: join(dir, "report.parcel"),
    reportFiles: join(dir, "report"),
    opened: join(dir, "result"),
  } as const;
}

export type JobFolder = ReturnType<typeof jobFolder>;
