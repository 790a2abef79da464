import { join } from "node:path";
import type { Role } from "../../ports/journal.ts";
import type { JobId } from "../../protocol/ids.ts";

/** Paths of one role's files of one job; each job and role has a folder of its own. */
export function jobFolder(jobsDir: string, role: Role, jobId: JobId) {
  const dir = join(jobsDir, role, jobId.slice(2));
  return {
    dir,
    bundle: join(dir, "bundle.parcel"),
    input: join(dir, "in"),
    exam: join(dir, "exam.parcel"),
    /** Folder. */
    checkpoint: join(dir, "checkpoint"),
    result: join(dir, "result.parcel"),
    report: join(dir, "report.parcel"),
    reportFiles: join(dir, "report"),
    opened: join(dir, "result"),
  } as const;
}

export type JobFolder = ReturnType<typeof jobFolder>;
