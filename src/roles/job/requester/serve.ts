import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../async/abort.ts";
import { retryTransient } from "../../../async/retry.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Notification } from "../../../ports/notifier.ts";
import { type JobId, shortId } from "../../../protocol/ids.ts";
import { isFinal, type JobState } from "../../../protocol/job/state.ts";
import { forJob, type ServerContext } from "../../context.ts";
import type { Duty } from "../../daemon/daemon.ts";
import { noteAndReport, retryText } from "../../shared/note.ts";
import { advance } from "./advance.ts";
import { cancel, discardDraft } from "./posting/cancel.ts";
import { type Draft, draftOf } from "./posting/draft.ts";
import { draftForNext, nextOf, turnOf } from "./posting/next-provider.ts";
import { declinedIn } from "./take-notice.ts";

/** Between two tries to act for a job for which another process acts. */
const BUSY_MS = 2_000;

/** What `ichain serve` does: it acts for the requester of every posted job of this home, while no command does. */
export function serveDuty(context: ServerContext): Duty {
  return {
    role: "requester",
    filter: { requester: context.account },
    wants: ({ id, state }) => !isFinal(state) && context.journal.find("requester", id) !== undefined,
    work: (jobId, options) => serveJob(forJob(context, jobId), jobId, options),
    // Never called: `serveJob` leaves a job that it cannot advance to the next event, or to its owner.
    giveUp: async () => undefined,
  };
}

/**
 * Advances one job to its end. When its provider declines it, takes it back and posts it to the next best, where its
 * owner allowed that. Drafts are left to their commands, except those that were made here.
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
      const { state } = await advance(context, jobId, { stopWhenDeclined: true }, options);
      if (isFinal(state)) return ended(context, journal, state);
      if (declinedIn(journal)) return await goOn(context, { journal, draft, jobId }, options);
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

/** Takes a declined job back, and posts it to the next provider; the daemon then acts for that job as for any other. */
async function goOn(
  context: ServerContext,
  { journal, draft, jobId }: { journal: JobJournal; draft: Draft; jobId: JobId },
  options: Abortable,
): Promise<void> {
  // Before the bundle goes with the cancelled job.
  const onRetry = (error: Error, pause: number) =>
    noteAndReport(context, journal, retryText(error, pause), "warn");
  const draftNext = () => draftForNext(context, journal, draft, context.audit, options);
  const found = await retryTransient(draftNext, onRetry, options).catch((error: Error) => {
    options.signal.throwIfAborted();
    return { why: error.message };
  });
  await cancel(context, jobId, options);
  if ("why" in found) return tell(context, journal, "failed", `declined and taken back: ${found.why}`);
  noteAndReport(context, journal, `the next provider is asked: job ${shortId(found.next)}`);
  await advance(context, found.next, { detach: true }, options);
}

/** A job that another one follows is not told of: its owner waits for that one. */
function ended(context: ServerContext, journal: JobJournal, state: JobState): void {
  const text = `ended ${state}`;
  const isFollowed = nextOf(journal) !== undefined && state === "Cancelled";
  if (isFollowed) noteAndReport(context, journal, text);
  else tell(context, journal, state === "Settled" ? "done" : "failed", text);
}

/** Records and reports what became of the job, and tells its owner. */
function tell(context: ServerContext, journal: JobJournal, event: Notification["event"], text: string): void {
  noteAndReport(context, journal, text, event === "done" ? "info" : "warn");
  const job = journal.key as JobId;
  context.notifier.tell({ event, job, text: `Job ${shortId(job)}: ${text}` });
}
