import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import { shortId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { RoleContext } from "../../context.ts";
import { transact } from "../../shared/transact.ts";
import { withdrawOwed } from "../../shared/withdraw.ts";

/**
 * Ends the run of an accepted job: the provider gets its share of the price, the requester the rest. Resolves with the
 * job as it is then.
 * @throws JOB_NOT_RUNNING
 */
export async function stopJob(context: RoleContext, job: Job, options: Abortable): Promise<Job> {
  const { market } = context;
  if (job.state !== "Accepted") throw notRunning(job);
  const journal = context.journal.open("requester", job.id);
  await transact(market, journal, { kind: "stop", job }, options);
  const stopped = await market.job(job.id, options);
  await withdrawOwed(context, journal, stopped, options);
  return stopped;
}

function notRunning({ id, state }: Job): IchainError {
  const hint =
    state === "Posted"
      ? `"ichain cancel ${shortId(id)}" takes it back, and costs nothing.`
      : "Only a run can be stopped: what is submitted is judged, and paid for if it is right.";
  return new IchainError("JOB_NOT_RUNNING", `Job ${shortId(id)} is ${state}: no run of it can be stopped.`, {
    hint,
  });
}
