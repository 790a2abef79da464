import { setTimeout as delay } from "node:timers/promises";
import { type Abortable, raceSignal } from "../../../async/abort.ts";
import { retryTransient } from "../../../async/retry.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { isFinal, type JobState } from "../../../protocol/job/state.ts";
import type { RoleContext } from "../../context.ts";
import { noteIfPossible, retryText } from "../../shared/note.ts";
import { whileUseful } from "./while-useful.ts";

/** Reserved at the end of the run window for `release`, at most: some ten blocks and the pause before a retry. */
const MARGIN_SECONDS = 120;

/** For aborted work to free the machine. */
const GRACE_MS = 5_000;

/** Reason on the chain for giving back a job whose run window is about to end. */
export const TOO_LATE = "its run window was about to end before it could be submitted";

/** The job ended while there was work for it: its requester stopped it. */
export const ENDED = Symbol("ended");

/**
 * The outcome of `work`, with transient failures retried; `TOO_LATE` once the run window of an accepted job leaves just
 * enough time to give the job back, `ENDED` once the job is over.
 */
export async function withinRunWindow<Result>(
  { market, reporter }: Pick<RoleContext, "market" | "reporter">,
  journal: JobJournal,
  job: Job,
  work: (options: Abortable) => Promise<Result>,
  options: Abortable,
): Promise<Result | typeof TOO_LATE | typeof ENDED> {
  const { run } = job.terms.windows;
  const deadline =
    job.state === "Accepted" && job.deadline !== undefined ? job.deadline : (await market.now(options)) + run;
  const margin = Math.min(MARGIN_SECONDS, run / 4);
  const isUseful = (state: JobState) => !isFinal(state);
  using accepted = whileUseful(market, { job, isUseful, deadline, margin }, options.signal);
  const { signal } = accepted;
  const onRetry = (error: Error, pause: number) => {
    const text = retryText(error, pause);
    noteIfPossible(journal, text);
    reporter.emit({ kind: "warn", text });
  };
  const working = retryTransient(() => work({ signal }), onRetry, { signal });
  try {
    return await raceSignal(working, signal);
  } catch (error) {
    // Let the work end before the caller frees what it uses; but work that ignores the signal must not delay
    // `release` past the deadline.
    await Promise.race([working.catch(() => undefined), delay(GRACE_MS, undefined, { ref: false })]);
    if (options.signal.aborted) throw error;
    if (accepted.left) return ENDED;
    if (accepted.expired) return TOO_LATE;
    throw error;
  }
}
