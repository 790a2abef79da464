import type { Waits, WorkerContext } from "../context.ts";
import type { Duty } from "../shared/daemon.ts";
import { openSlots } from "../shared/slots.ts";
import { abandonJob, runJob } from "./serve.ts";
import type { ProviderSetup } from "./take.ts";

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
