import type { Market } from "../../../ports/market.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";

/**
 * A signal for work that is of use only while a job can be accepted: it fires when the job is not Posted any more,
 * at `deadline` (Unix seconds, at most `acceptBy`), and with `signal`. Dispose it when the work is done.
 */
export function whilePosted(
  market: Market,
  { job: { id, terms }, deadline }: { job: Job; deadline: number },
  signal: AbortSignal,
) {
  const done = new AbortController();
  const gone = new AbortController();
  const clock = chainDeadline(Math.min(terms.acceptBy, deadline), market, signal);
  const watch = async () => {
    for await (const { state } of market.follow(id, { signal: done.signal }))
      if (state !== "Posted") return gone.abort();
  };
  // A node that is out of reach for long ends the watch; the clock goes on without it.
  watch().catch(() => undefined);
  return {
    signal: AbortSignal.any([clock.signal, gone.signal]),
    get over(): boolean {
      return gone.signal.aborted || clock.expired;
    },
    [Symbol.dispose](): void {
      done.abort();
      clock[Symbol.dispose]();
    },
  };
}
