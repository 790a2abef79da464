import { setTimeout as delay } from "node:timers/promises";
import { isIchainError } from "../../errors.ts";
import type { JobFilter } from "../../ports/market.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job.ts";
import type { RoleContext, Waits } from "../context.ts";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

export interface Duty {
  readonly role: "provider" | "validator";
  readonly filter: JobFilter;
  /** True when there is something for this role to do in a job that it has not begun. */
  wants(job: Job): boolean;
  /** Brings one job to its end; called again after a crash or a passing failure. */
  work(jobId: JobId, waits: Waits): Promise<void>;
  readonly maxJobs: number;
}

/**
 * Takes jobs as they appear, `maxJobs` at once, first those that a former run left unfinished. One job's
 * failure never stops the daemon; only `signal` does, and then no job is cut in the middle of an act that
 * the journal does not know.
 */
export async function runDaemon(context: RoleContext, duty: Duty, { signal }: Waits): Promise<void> {
  const stop = new AbortController();
  const waits = { signal: AbortSignal.any([signal, stop.signal]) };
  const running = new Map<JobId, Promise<void>>();
  const queue: JobId[] = [];
  const fill = (): void => {
    while (running.size < duty.maxJobs) {
      const jobId = queue.shift();
      if (jobId === undefined) return;
      const work = persist(context, duty, jobId, waits).finally(() => {
        running.delete(jobId);
        fill();
      });
      running.set(jobId, work);
    }
  };
  const enqueue = (jobId: JobId): void => {
    if (running.has(jobId) || queue.includes(jobId) || isFinished(context, duty, jobId)) return;
    queue.push(jobId);
    fill();
  };
  try {
    for (const { key } of context.journal.undertakings({ role: duty.role, unfinished: true }))
      enqueue(key as JobId);
    for await (const job of context.market.watch(duty.filter, waits)) {
      if (duty.wants(job)) enqueue(job.id);
    }
  } finally {
    stop.abort();
    queue.length = 0;
    await Promise.allSettled(running.values());
  }
}

function isFinished({ journal }: RoleContext, { role }: Duty, jobId: JobId): boolean {
  return journal.undertakings({ role }).some(({ key, finished }) => key === jobId && finished !== undefined);
}

/** Works on one job until it is over: passing failures are waited out, others end it here. */
async function persist(context: RoleContext, duty: Duty, jobId: JobId, { signal }: Waits): Promise<void> {
  const warn = (text: string) =>
    context.reporter.emit({ kind: "warn", text: `Job ${shortId(jobId)}: ${text}` });
  for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await duty.work(jobId, { signal });
    } catch (error) {
      if (signal.aborted) return;
      const text = error instanceof Error ? error.message : String(error);
      const code = isIchainError(error) ? error.code : "INTERNAL";
      context.journal.open(duty.role, jobId).note(`${code}: ${text}`);
      if (!isIchainError(error) || !error.retryable) {
        warn(`given up (${code}): ${text}`);
        context.journal.open(duty.role, jobId).finish("failed");
        return;
      }
      warn(`${text} Trying again in ${Math.round(pause / 1000)} s.`);
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}
