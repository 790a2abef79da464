import type { Waits } from "../ports/market.ts";
import { instantsOf } from "../protocol/exits.ts";
import type { JobId } from "../protocol/ids.ts";
import type { Job } from "../protocol/job.ts";
import { isFinal } from "../protocol/state.ts";
import type { Jobs } from "./index/jobs.ts";
import type { Block } from "./rpc/blocks.ts";
import type { Heads } from "./rpc/heads.ts";
import { patiently } from "./rpc/patience.ts";

/** Node's longest timer is 24 days; waking once an hour for nothing costs nothing. */
const LONGEST_TIMER_MS = 3_600_000;

export interface FollowOptions {
  readonly heads: Heads;
  readonly jobs: Jobs;
  /** Brings the index up to `head` and reads the job as it is there. */
  readonly load: (id: JobId, head: Block, waits: Waits) => Promise<Job | undefined>;
}

/** `MarketReader.follow`. The job must exist. */
export async function* followJob(
  { heads, jobs, load }: FollowOptions,
  id: JobId,
  waits: Waits,
): AsyncIterable<Job> {
  let touched = -1;
  /** The instants of the job's present step that were told to be over. */
  let over = "";
  for (;;) {
    const head = await patiently(() => heads.recent(waits), waits);
    const job = await patiently(() => load(id, head, waits), waits);
    const now = chainTime(head);
    const changed = jobs.touched(id) !== touched;
    touched = jobs.touched(id);
    if (job !== undefined) {
      const past = instantsOf(job).filter((instant) => now > instant);
      const passed = past.length > 0 && over !== past.join();
      over = past.join();
      if (changed || passed) yield job;
      if (isFinal(job.state)) return;
    }
    const next = job && instantsOf(job).filter((instant) => now <= instant);
    await heads.changed(head.hash, { ...waits, forMs: untilOver(next && Math.min(...next)) });
  }
}

/** Later of the newest block's time and the wall clock: time goes on where no blocks are mined. Unix seconds. */
export function chainTime(head: Block): number {
  return Math.max(head.time, Math.floor(Date.now() / 1000));
}

/** How long until the wall clock is past `deadline`; undefined when it is, or there is none. */
function untilOver(deadline: number | undefined): number | undefined {
  const left = deadline === undefined ? 0 : (deadline + 1) * 1000 - Date.now();
  return left > 0 ? Math.min(left, LONGEST_TIMER_MS) : undefined;
}
