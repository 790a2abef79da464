import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobId } from "../../../protocol/ids.ts";
import { isFinal } from "../../../protocol/job/state.ts";
import { forJob, type RoleContext } from "../../context.ts";
import type { Duty } from "../../daemon/daemon.ts";
import { noteAndReport } from "../../shared/note.ts";
import { advance } from "./advance.ts";
import { cancel } from "./posting/cancel.ts";
import { draftOf } from "./posting/draft.ts";
import { declinedIn } from "./take-notice.ts";

/** Between two tries to act for a job for which another process acts. */
const BUSY_MS = 2_000;

/** What `ichain serve` does: it acts for the requester of every posted job of this home, while no command does. */
export function serveDuty(context: RoleContext): Duty {
  return {
    role: "requester",
    filter: { requester: context.account },
    wants: ({ id, state }) => !isFinal(state) && context.journal.find("requester", id) !== undefined,
    work: (jobId, options) => serveJob(forJob(context, jobId), jobId, options),
    // Never called: `serveJob` leaves a job that it cannot advance to the next event, or to its owner.
    giveUp: async () => undefined,
  };
}

/** Advances one job to its end, or takes it back when its provider declines it. Drafts are left to their commands. */
async function serveJob(context: RoleContext, jobId: JobId, options: Abortable): Promise<void> {
  const journal = context.journal.open("requester", jobId);
  for (;;) {
    if (draftOf(journal) === undefined || journal.intent("post") === undefined) return;
    try {
      const { state } = await advance(context, jobId, { stopWhenDeclined: true }, options);
      if (isFinal(state)) return noteAndReport(context, journal, `ended ${state}`);
      if (declinedIn(journal)) return await cancel(context, jobId, options);
    } catch (error) {
      options.signal.throwIfAborted();
      const accepted = isIchainError(error, "ESCROW_INVALID_STATUS");
      if (!accepted && !isIchainError(error, "JOB_BUSY")) {
        const why = error instanceof Error ? error.message : String(error);
        return noteAndReport(context, journal, `it is left as it is: ${why}`, "warn");
      }
      await delay(BUSY_MS, undefined, options);
    }
  }
}
