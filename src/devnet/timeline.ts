import type { MarketReader } from "../ports/market.ts";
import type { Address } from "../protocol/ids.ts";
import type { Job } from "../protocol/job.ts";
import { isFinal, type JobState } from "../protocol/state.ts";

/** When a job was first seen in each state, milliseconds of `performance.now()`. */
export interface Timeline {
  readonly job: Job;
  readonly at: ReadonlyMap<JobState, number>;
}

/** Follows the first job that `requester` posts to its end; `onState` hears of each new state. */
export async function followFirstJob(
  market: MarketReader,
  requester: Address,
  onState: (job: Job) => void,
  { signal }: { signal: AbortSignal },
): Promise<Timeline> {
  const at = new Map<JobState, number>();
  for await (const job of market.watch({ requester }, { signal })) {
    if (!at.has(job.state)) {
      at.set(job.state, performance.now());
      onState(job);
    }
    if (isFinal(job.state)) return { job, at };
  }
  throw signal.reason;
}

/** Seconds from one state's first sight to another's, three decimals; 0 when either was skipped. */
export function between({ at }: Timeline, from: JobState, to: JobState): number {
  const [start, end] = [at.get(from), at.get(to)];
  return start === undefined || end === undefined ? 0 : seconds(end - start);
}

export function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
