import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../../async/abort.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { Notification, OwnerNotifier } from "../../../../ports/notifier.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { type JobId, shortId } from "../../../../protocol/ids.ts";
import { forJob, type WorkerContext } from "../../../context.ts";
import type { Duty } from "../../../daemon/daemon.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { tellDisputes } from "../dispute/tell.ts";
import { collectPay } from "./collect.ts";
import { federatedDraftOf } from "./draft.ts";
import { lead } from "./lead.ts";

/** Between two tries to lead a job that another process leads. */
const BUSY_MS = 2_000;

type Context = WorkerContext & { readonly notifier: OwnerNotifier };

/** What `ichain serve` does with federated jobs: it leads every posted one of this home, while no command does. */
export function leadDuty(context: Context, draining?: AbortSignal): Duty<FederatedJob> {
  const { market, account, journal } = context;
  return {
    role: "federated-requester",
    watch: (options) => market.watchFederated({ requester: account }, options),
    wants: ({ id }) => !draining?.aborted && journal.find("federated-requester", id)?.finished === undefined,
    work: (id, options) => serveJob(forJob(context, id), id, options),
    // Never called: a job that cannot be led is left to its owner.
    giveUp: async () => undefined,
  };
}

/** Leads a job to its end and takes what comes back of its price. A draft that was not posted is left to its command. */
async function serveJob(context: Context, id: JobId, options: Abortable): Promise<void> {
  const journal = context.journal.open("federated-requester", id);
  const tell = (event: Notification["event"], text: string) => {
    noteAndReport(context, journal, text, event === "done" ? "info" : "warn");
    context.notifier.tell({ event, job: id, text: `Job ${shortId(id)}: ${text}` });
  };
  if (federatedDraftOf(journal) === undefined || journal.intent("post") === undefined) return;
  while (journal.outcome("told") === undefined) {
    try {
      const job = await lead(context, id, {}, options);
      const rounds = job.closings.length;
      tell(rounds > 0 ? "done" : "failed", `ended ${job.cause ?? job.state}, ${rounds} rounds closed`);
      if (rounds === 0) return;
    } catch (error) {
      options.signal.throwIfAborted();
      if (!isIchainError(error, "JOB_BUSY")) {
        const why = error instanceof Error ? error.message : String(error);
        return tell("needs-you", `it is left as it is: ${why}`);
      }
      await delay(BUSY_MS, undefined, options);
    }
  }
  for await (const job of context.market.followFederated(id, options)) {
    await tellDisputes(context, journal, job);
    if (job.state === "Ended" && (await collectPay(context, journal, job, options)) === "done") return;
  }
}
