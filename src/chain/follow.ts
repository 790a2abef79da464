import type { AbortOptions } from "../async/abort.ts";
import { retryUnavailable } from "../async/retry.ts";
import type { JobId } from "../protocol/ids.ts";
import type { Block } from "./rpc/blocks.ts";
import type { Clock } from "./rpc/clock.ts";
import type { Heads } from "./rpc/heads.ts";

/** Node's timers end at 24 days; waking once an hour costs nothing. */
const LONGEST_TIMER_MS = 3_600_000;

export interface FollowOptions<J> {
  readonly heads: Heads;
  readonly clock: Clock;
  readonly index: {
    find(id: JobId): J | undefined;
    /** Grows with every change to the job; 0 while unknown. */
    touched(id: JobId): number;
  };
  /** After which a call becomes possible without an event, Unix seconds. */
  readonly instantsOf: (job: J) => readonly number[];
  /** Nothing more will happen. */
  readonly isFinal: (job: J) => boolean;
  /** Brings the index up to `head`. */
  readonly sync: (head: Block, options: AbortOptions) => Promise<void>;
}

/** `MarketReader.follow`, of a job of either kind; it must be on the chain. */
export async function* followJob<J>(
  { heads, clock, index, instantsOf, isFinal, sync }: FollowOptions<J>,
  id: JobId,
  options: AbortOptions,
): AsyncIterable<J> {
  let touched = -1;
  /** The instants of the job's present step whose passing was yielded. */
  let yielded = "";
  for (;;) {
    const head = await retryUnavailable(() => heads.recent(options), options);
    await retryUnavailable(() => sync(head, options), options);
    // Read before the job: another reader of the index may add to it in between, and a change that is yielded twice
    // does no harm, while one that is never yielded stops the job.
    const known = index.touched(id);
    const job = index.find(id);
    const now = await retryUnavailable(() => clock.now(head, options), options);
    const changed = known !== touched;
    touched = known;
    if (job !== undefined) {
      const past = instantsOf(job).filter((instant) => now > instant);
      // Fewer than before: the chain's time was corrected, or a reorganisation took it back, and they pass again.
      const passed = past.length > 0 && yielded !== past.join();
      yielded = past.join();
      if (changed || passed) yield job;
      if (isFinal(job)) return;
    }
    const next = job && instantsOf(job).filter((instant) => now <= instant);
    await heads.changed(head.hash, { ...options, forMs: untilOver(next && Math.min(...next), now) });
  }
}

/** Milliseconds until the chain's time is past `deadline`; undefined when it is past, or there is none. */
function untilOver(deadline: number | undefined, now: number): number | undefined {
  const left = deadline === undefined ? 0 : (deadline + 1 - now) * 1000;
  return left > 0 ? Math.min(left, LONGEST_TIMER_MS) : undefined;
}
