import { rm } from "node:fs/promises";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobId } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { transact } from "../../../shared/transact.ts";
import { withdrawOwed } from "../../../shared/withdraw.ts";

/**
 * Takes back a posted job and its money.
 * @throws ESCROW_INVALID_STATUS once it has been accepted
 */
export async function cancel(context: RoleContext, jobId: JobId, options: Abortable): Promise<void> {
  const journal = context.journal.open("requester", jobId);
  const job = await context.market.job(jobId, options);
  await transact(context.market, journal, { kind: "cancel", job }, options);
  await withdrawOwed(context, journal, job, options);
  await rm(jobFolder(context.jobsDir, "requester", jobId).dir, { recursive: true, force: true });
  journal.finish("failed");
}

/** Forgets a job that was drafted and never posted; resolves with false when its posting has begun. */
export async function discardDraft({ journal, jobsDir }: RoleContext, jobId: JobId): Promise<boolean> {
  const record = journal.open("requester", jobId);
  if (record.intent("post") !== undefined) return false;
  record.finish("failed");
  await rm(jobFolder(jobsDir, "requester", jobId).dir, { recursive: true, force: true });
  return true;
}
