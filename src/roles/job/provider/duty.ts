import type { Waits, WorkerContext } from "../../context.ts";
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
    work: (jobId, waits: Waits) => runJob(context, jobId, shop, waits),
    giveUp: (jobId, waits) => abandonJob(context, jobId, waits),
  };
}
