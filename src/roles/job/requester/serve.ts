import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Notification } from "../../../ports/notifier.ts";
import { type JobId, shortId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { isFinal } from "../../../protocol/job/state.ts";
import { forJob, type ServerContext } from "../../context.ts";
import type { Duty } from "../../daemon/daemon.ts";
import { noteAndReport } from "../../shared/note.ts";
import { advance } from "./advance.ts";
import { discardDraft } from "./posting/cancel.ts";
import { draftOf } from "./posting/draft.ts";
import { isGoingOn, linksOf, successorOf, turnOf } from "./successors/go-on.ts";
import type { Successor } from "./successors/next-provider.ts";
import { declinedIn } from "./take-notice.ts";

/** Between two tries to act for a job for which another process acts. */
const BUSY_MS = 2_000;

/** What `ichain serve` does: it acts for the requester of every posted job of this home, while no command does. */
export function serveDuty(context: ServerContext, draining?: AbortSignal): Duty {
  return {
    role: "requester",
    watch: (options) => context.market.watch({ requester: context.account }, options),
    wants: ({ id, state }) =>
      !draining?.aborted && !isFinal(state) && context.journal.find("requester", id) !== undefined,
    work: (jobId, options) => serveJob(forJob(context, jobId), jobId, options),
    // Never called: `serveJob` leaves a job that it cannot advance to the next event, or to its owner.
    giveUp: async () => undefined,
  };
}

/**
 * Advances one job to its end. When its provider declines it, gives it back or is lost, posts it to the next best, where
 * its owner allowed that. Drafts are left to their commands, except those that were made here.
 */
async function serveJob(context: ServerContext, jobId: JobId, options: Abortable): Promise<void> {
  const journal = context.journal.open("requester", jobId);
  for (;;) {
    const draft = draftOf(journal);
    if (draft === undefined) return;
    try {
      if (journal.intent("post") === undefined) {
        const turn = draft.again?.after && (await turnOf(context, jobId, draft.again.after, options));
        if (turn === "discard") await discardDraft(context, jobId);
        if (turn === undefined || turn === "discard") return;
        if (turn === "wait") {
          await delay(BUSY_MS, undefined, options);
          continue;
        }
      }
      const job = await advance(context, jobId, { stopWhenDeclined: true }, options);
      const found = await successorOf(context, job, context.audit, options);
      if (found) return await goOn(context, journal, { job, found }, options);
      if (isFinal(job.state)) return ended(context, journal, job);
    } catch (error) {
      options.signal.throwIfAborted();
      const accepted = isIchainError(error, "ESCROW_INVALID_STATUS");
      if (!accepted && !isIchainError(error, "JOB_BUSY")) {
        const why = error instanceof Error ? error.message : String(error);
        return tell(context, journal, "needs-you", `it is left as it is: ${why}`);
      }
      await delay(BUSY_MS, undefined, options);
    }
  }
}

/** Posts the job that takes another's place; the daemon then acts for it as for any other. */
async function goOn(
  context: ServerContext,
  journal: JobJournal,
  { job, found }: { job: Job; found: Successor },
  options: Abortable,
): Promise<void> {
  const isDeclined = declinedIn(journal) !== undefined;
  const was =
    job.state === "Posted"
      ? `${isDeclined ? "declined" : "not accepted in time"} and taken back`
      : `ended ${job.state}`;
  if ("why" in found) return tell(context, journal, "failed", `${was}: ${found.why}`);
  noteAndReport(context, journal, `${was}: it goes on as job ${shortId(found.next)}`);
  await advance(context, found.next, { detach: true }, options);
}

/** A job that another one follows is not told of: its owner waits for that one. */
function ended(context: ServerContext, journal: JobJournal, job: Job): void {
  const text = `ended ${job.state}`;
  const isFollowed = linksOf(context.journal, job.id).next !== undefined || isGoingOn(context.journal, job);
  if (isFollowed) noteAndReport(context, journal, text);
  else tell(context, journal, job.state === "Settled" ? "done" : "failed", text);
}

/** Records and reports what became of the job, and tells its owner. */
function tell(context: ServerContext, journal: JobJournal, event: Notification["event"], text: string): void {
  noteAndReport(context, journal, text, event === "done" ? "info" : "warn");
  const job = journal.key as JobId;
  context.notifier.tell({ event, job, text: `Job ${shortId(job)}: ${text}` });
}
