import { linkSignals } from "../../../async/abort.ts";
import type { MarketReader } from "../../../ports/market.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { JobState } from "../../../protocol/job/state.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";

/**
 * A signal for work that is useful only while a job is in certain states. It aborts when the job leaves them, `margin`
 * seconds before `deadline` (Unix seconds), and with `signal`. Dispose it when the work is done.
 */
export function whileUseful(
  market: Pick<MarketReader, "follow" | "now">,
  {
    job: { id },
    isUseful,
    deadline,
    margin,
  }: { job: Job; isUseful: (state: JobState) => boolean; deadline: number; margin?: number },
  signal: AbortSignal,
) {
  const done = new AbortController();
  const left = new AbortController();
  const clock = chainDeadline(deadline, market, signal, margin);
  const linked = linkSignals([clock.signal, left.signal]);
  const watch = async () => {
    for await (const { state } of market.follow(id, { signal: done.signal }))
      if (!isUseful(state)) return left.abort();
  };
  // The watch ends when the node cannot be reached for long; the clock continues without it.
  watch().catch(() => undefined);
  return {
    signal: linked.signal,
    /** The job is in a state in which the work is of no use. */
    get left(): boolean {
      return left.signal.aborted;
    },
    get expired(): boolean {
      return clock.expired;
    },
    [Symbol.dispose](): void {
      done.abort();
      clock[Symbol.dispose]();
      linked[Symbol.dispose]();
    },
  };
}
