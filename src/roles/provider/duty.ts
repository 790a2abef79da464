import type { Waits, WorkerContext } from "../context.ts";
import type { Duty } from "../shared/daemon.ts";
import { openSlots } from "../shared/slots.ts";
import { giveUp, serve } from "./serve.ts";
import type { Workshop } from "./take.ts";

/** What `ichain provide` does: every posted job that names this account. */
export function provideDuty(context: WorkerContext, bench: Omit<Workshop, "slots">): Duty {
  const shop = { ...bench, slots: openSlots(bench.policy.maxJobs) };
  return {
    role: "provider",
    filter: { provider: context.account },
    wants: (job) => job.state === "Posted",
    work: (jobId, waits: Waits) => serve(context, jobId, shop, waits),
    giveUp: (jobId, waits) => giveUp(context, jobId, waits),
  };
}
