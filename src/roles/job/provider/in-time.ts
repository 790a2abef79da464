import { setTimeout as delay } from "node:timers/promises";
import { type Abortable, raceSignal } from "../../../async/abort.ts";
import { retryTransient } from "../../../async/retry.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { RoleContext } from "../../context.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import { noteIfPossible } from "../../shared/note.ts";

/** Left of the run window for `release`, at most: some ten blocks, and a pause before another try. */
const MARGIN_SECONDS = 120;

/** For work to let go of the machine once it was told to end. */
const GRACE_MS = 5_000;

/** Why a job is given back whose run window runs out: silence would cost the stake. */
export const TOO_LATE = "its run window was about to end before it could be submitted";

/**
 * What `work` comes to, tried again while it fails in a way that may pass; `TOO_LATE` once so little is left of an
 * accepted job's run window that giving the job back comes first.
 */
export async function inTime<Result>(
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
  const again = (error: Error, pause: number) => {
    const text = `${error.message} Trying again in ${pause} s.`;
    noteIfPossible(journal, text);
    reporter.emit({ kind: "warn", text });
  };
  const working = retryTransient(() => work({ signal }), again, { signal });
  try {
    return await raceSignal(working, signal);
  } catch (error) {
    // What the work holds of the machine is given back next, and must not be taken at the same moment. Not even work
    // that does not heed the signal holds up what must be said in time.
    await Promise.race([working.catch(() => undefined), delay(GRACE_MS, undefined, { ref: false })]);
    if (clock.expired && !options.signal.aborted) return TOO_LATE;
    throw error;
  }
}
