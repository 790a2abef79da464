import { rm } from "node:fs/promises";
import type { JobId } from "../../../../protocol/ids.ts";
import type { RoleContext, Waits } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { transact } from "../../../shared/transact.ts";
import { withdrawOwed } from "../../../shared/withdraw.ts";

/** Takes back a posted job and its money; the contract refuses once it has been accepted. */
export async function cancel(context: RoleContext, jobId: JobId, waits: Waits): Promise<void> {
  const journal = context.journal.open("requester", jobId);
  const job = await context.market.job(jobId, waits);
  await transact(context.market, journal, { kind: "cancel", job }, waits);
  await withdrawOwed(context, journal, job, waits);
  await rm(jobFolder(context.jobsDir, "requester", jobId).dir, { recursive: true, force: true });
  journal.finish("failed");
}
