import { linkSignals } from "../../../async/abort.ts";
import type { Market } from "../../../ports/market.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";

/**
 * A signal for work that is useful only while a job can be accepted. It aborts when the job leaves `Posted`, at
 * `deadline` or `acceptBy` (Unix seconds), and with `signal`. Dispose it when the work is done.
 */
export function whilePosted(
  market: Market,
  { job: { id, terms }, deadline }: { job: Job; deadline: number },
  signal: AbortSignal,
) {
  const done = new AbortController();
  const left = new AbortController();
  const clock = chainDeadline(Math.min(terms.acceptBy, deadline), market, signal);
  const linked = linkSignals([clock.signal, left.signal]);
  const watch = async () => {
    for await (const { state } of market.follow(id, { signal: done.signal }))
      if (state !== "Posted") return left.abort();
  };
  // The watch ends when the node cannot be reached for long; the clock continues without it.
  watch().catch(() => undefined);
  return {
    signal: linked.signal,
    get over(): boolean {
      return left.signal.aborted || clock.expired;
    },
    [Symbol.dispose](): void {
      done.abort();
      clock[Symbol.dispose]();
      linked[Symbol.dispose]();
    },
  };
}
