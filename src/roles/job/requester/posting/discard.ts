import { rm } from "node:fs/promises";
import type { JobId } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";

/** Forgets a job that was drafted and never posted; resolves with false when it was. */
export async function discardDraft({ journal, jobsDir }: RoleContext, jobId: JobId): Promise<boolean> {
  const record = journal.open("requester", jobId);
  if (record.intent("post") !== undefined) return false;
  record.finish("failed");
  await rm(jobFolder(jobsDir, "requester", jobId).dir, { recursive: true, force: true });
  return true;
}
