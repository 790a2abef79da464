import { isIchainError } from "../../errors.ts";
import type { JobFilter } from "../../ports/market.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job.ts";
import type { RoleContext, Waits } from "../context.ts";
import { persist } from "./persist.ts";

/** What is left to do when a job has ended, and keeps no other job waiting. */
export type Afterwards = (waits: Waits) => Promise<void>;

export interface Duty {
  readonly role: "provider" | "validator";
  readonly filter: JobFilter;
  /** True when there is something for this role to do in a job that it has not begun. */
  wants(job: Job): boolean;
  /** Brings one job to its end; called again after a crash or a passing failure. */
  work(jobId: JobId, waits: Waits): Promise<Afterwards | undefined>;
  /** Ends this role's part in a job that `work` cannot bring to its end, at the least cost. */
  giveUp(jobId: JobId, waits: Waits): Promise<void>;
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
  const afterwards = new Set<Promise<void>>();
  const queue: JobId[] = [];
  const fill = (): void => {
    while (running.size < duty.maxJobs) {
      const jobId = queue.shift();
      if (jobId === undefined) return;
      const work = attend(context, duty, jobId, waits, () => duty.work(jobId, waits))
        .then((after) => {
          if (!after) return;
          const rest = attend(context, duty, jobId, waits, () => after(waits));
          afterwards.add(rest);
        })
        .finally(() => {
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
    await Promise.allSettled([...running.values()]);
    await Promise.allSettled(afterwards);
  }
}

function isFinished({ journal }: RoleContext, { role }: Duty, jobId: JobId): boolean {
  return journal.find(role, jobId)?.finished !== undefined;
}

/** Does what a job needs until it is done; what cannot pass ends it here, told and noted. */
async function attend<Result>(
  context: RoleContext,
  duty: Duty,
  jobId: JobId,
  { signal }: Waits,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  const journal = context.journal.open(duty.role, jobId);
  const warn = (text: string) => {
    journal.note(text);
    context.reporter.emit({ kind: "warn", text: `Job ${shortId(jobId)}: ${text}` });
  };
  const again = (error: Error, pause: number) => warn(`${error.message} Trying again in ${pause} s.`);
  const tell = (error: unknown) => {
    if (signal.aborted) return;
    const code = isIchainError(error) ? error.code : "INTERNAL";
    warn(`given up (${code}): ${error instanceof Error ? error.message : String(error)}`);
  };
  try {
    return await persist(work, again, { signal });
  } catch (error) {
    tell(error);
    if (signal.aborted) return undefined; // to be carried on
  }
  try {
    await persist(() => duty.giveUp(jobId, { signal }), again, { signal });
  } catch (error) {
    tell(error);
    if (signal.aborted) return undefined;
  }
  journal.finish("failed");
  return undefined;
}
