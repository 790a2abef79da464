import type { Waits } from "../ports/market.ts";
import type { JobId } from "../protocol/ids.ts";
import type { Job } from "../protocol/job.ts";
import { isFinal } from "../protocol/state.ts";
import type { Jobs } from "./index/jobs.ts";
import type { Block } from "./rpc/blocks.ts";
import type { Clock } from "./rpc/clock.ts";
import type { Heads } from "./rpc/heads.ts";
import { patiently } from "./rpc/patience.ts";

/** Node's longest timer is 24 days; waking once an hour for nothing costs nothing. */
const LONGEST_TIMER_MS = 3_600_000;

export interface FollowOptions {
  readonly heads: Heads;
  readonly clock: Clock;
  readonly jobs: Jobs;
  /** Brings the index up to `head` and reads the job as it is there. */
  readonly load: (id: JobId, head: Block, waits: Waits) => Promise<Job | undefined>;
}

/** `MarketReader.follow`. The job must exist. */
export async function* followJob(
  { heads, clock, jobs, load }: FollowOptions,
  id: JobId,
  waits: Waits,
): AsyncIterable<Job> {
  let touched = -1;
  let last: Job | undefined;
  /** The deadline that was told to be over. */
  let over: number | undefined;
  for (;;) {
    const head = await patiently(() => heads.recent(waits), waits);
    const job = await patiently(() => load(id, head, waits), waits);
    const now = await patiently(() => clock.now(head, waits), waits);
    const changed = jobs.touched(id) !== touched || differs(job, last);
    touched = jobs.touched(id);
    last = job;
    if (job !== undefined) {
      // The chain's time was corrected, or a reorganisation took it back: it will pass again.
      if (over !== undefined && now <= over) over = undefined;
      const passed = job.deadline !== undefined && now > job.deadline && over !== job.deadline;
      if (passed) over = job.deadline;
      // A draw waits for a block and not for an event: whoever carries it out must hear of each.
      if (changed || passed || job.drawing) yield job;
      if (isFinal(job.state)) return;
    }
    await heads.changed(head.hash, { ...waits, forMs: untilOver(job?.deadline, now) });
  }
}

/** What a draw changes without an event of its own. */
function differs(a: Job | undefined, b: Job | undefined): boolean {
  return a?.drawing !== b?.drawing || a?.committing !== b?.committing || a?.deadline !== b?.deadline;
}

/** How long until the chain's time is past `deadline`; undefined when it is, or there is none. */
function untilOver(deadline: number | undefined, now: number): number | undefined {
  const left = deadline === undefined ? 0 : (deadline + 1 - now) * 1000;
  return left > 0 ? Math.min(left, LONGEST_TIMER_MS) : undefined;
}
