import { setTimeout as delay } from "node:timers/promises";
import { type Abortable, raceSignal } from "../../../async/abort.ts";
import { retryTransient } from "../../../async/retry.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { RoleContext } from "../../context.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import { noteIfPossible, retryText } from "../../shared/note.ts";

/** Reserved at the end of the run window for `release`, at most: some ten blocks and the pause before a retry. */
const MARGIN_SECONDS = 120;

/** For aborted work to free the machine. */
const GRACE_MS = 5_000;

/** Reason on the chain for giving back a job whose run window is about to end. */
export const TOO_LATE = "its run window was about to end before it could be submitted";

/**
 * The outcome of `work`, with transient failures retried; `TOO_LATE` once the run window of an accepted job leaves just
 * enough time to give the job back.
 */
export async function withinRunWindow<Result>(
  { market, reporter }: Pick<RoleContext, "market" | "reporter">,
  journal: JobJournal,
  job: Job,
  work: (options: Abortable) => Promise<Result>,
  options: Abortable,
): Promise<Result | typeof TOO_LATE> {
  const { run } = job.terms.windows;
  const deadline =
    job.state === "Accepted" && job.deadline !== undefined ? job.deadline : (await market.now(options)) + run;
  using clock = chainDeadline(deadline, market, options.signal, Math.min(MARGIN_SECONDS, run / 4));
  const { signal } = clock;
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
    if (clock.expired && !options.signal.aborted) return TOO_LATE;
    throw error;
  }
}
