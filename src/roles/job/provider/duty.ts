import type { Abortable } from "../../../async/abort.ts";
import { forJob, type WorkerContext } from "../../context.ts";
import type { Duty } from "../../daemon/daemon.ts";
import { openSlots } from "../../daemon/slots.ts";
import type { ProviderSetup } from "./accept.ts";
import { abandonJob, runJob } from "./run-job.ts";

/** What `ichain provide` does: every posted job that names this account. */
export function provideDuty(context: WorkerContext, bench: Omit<ProviderSetup, "slots">): Duty {
  const shop = { ...bench, slots: openSlots(bench.policy.maxJobs) };
  return {
    role: "provider",
    filter: { provider: context.account },
    wants: (job) => job.state === "Posted",
    work: (jobId, options: Abortable) => runJob(forJob(context, jobId), jobId, shop, options),
    giveUp: (jobId, options) => abandonJob(forJob(context, jobId), jobId, options),
  };
}
