import type { Abortable } from "../../async/abort.ts";
import { retryTransient } from "../../async/retry.ts";
import { isIchainError } from "../../errors/error.ts";
import type { JobFilter } from "../../ports/market.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import { forJob, type RoleContext } from "../context.ts";
import { isStorageTrouble, noteIfPossible } from "../shared/note.ts";
import { sweepFolders } from "./sweep-folders.ts";

export interface Duty {
  readonly role: "provider" | "validator";
  readonly filter: JobFilter;
  /** True when there is something for this role to do in a job that it has not begun. */
  wants(job: Job): boolean;
  /**
   * Brings one job to its end; called again after a crash or a passing failure. All jobs at once: what takes up the
   * machine waits for a place by itself (`Slots`), and what only waits for others needs none.
   */
  work(jobId: JobId, options: Abortable): Promise<void>;
  /** Ends this role's part in a job that `work` cannot bring to its end, at the least cost. */
  giveUp(jobId: JobId, options: Abortable): Promise<void>;
}

/**
 * Attends to jobs as they appear, first to those that a former run left unfinished. One job's failure never stops
 * the daemon, nor does a journal that cannot be written for a while; only `signal` does, and then no job is cut in
 * the middle of an act that the journal does not know.
 */
export async function runDaemon(context: RoleContext, duty: Duty, { signal }: Abortable): Promise<void> {
  const stop = new AbortController();
  const options = { signal: AbortSignal.any([signal, stop.signal]) };
  const running = new Map<JobId, Promise<void>>();
  const begin = (jobId: JobId): void => {
    if (running.has(jobId)) return;
    running.set(
      jobId,
      attend(context, duty, jobId, options).finally(() => running.delete(jobId)),
    );
  };
  const warn = (text: string) => context.reporter.emit({ kind: "warn", text });
  const again = (error: Error, pause: number) => warn(`${error.message} Trying again in ${pause} s.`);
  try {
    const left = await retryTransient(
      async () => {
        await sweepFolders(context, duty.role);
        return context.journal.undertakings({ role: duty.role, unfinished: true });
      },
      again,
      options,
    );
    for (const { key } of left) begin(key as JobId);
    for await (const job of context.market.watch(duty.filter, options)) {
      if (duty.wants(job)) begin(job.id);
    }
  } finally {
    stop.abort();
    await Promise.all(running.values());
  }
}

/** Does what a job needs until it is done; what cannot pass ends it here, told and noted. Never rejects. */
async function attend(context: RoleContext, duty: Duty, jobId: JobId, { signal }: Abortable): Promise<void> {
  const { journal, reporter, logger } = forJob(context, jobId);
  const warn = (text: string) => {
    reporter.emit({ kind: "warn", text: `Job ${shortId(jobId)}: ${text}` });
    noteIfPossible(() => journal.open(duty.role, jobId), text);
  };
  const again = (error: Error, pause: number) => {
    const text = `${error.message} Trying again in ${pause} s.`;
    // A note would only wait for the journal once more.
    if (isStorageTrouble(error)) reporter.emit({ kind: "warn", text: `Job ${shortId(jobId)}: ${text}` });
    else warn(text);
  };
  const tell = (error: unknown) => {
    if (signal.aborted) return; // to be carried on
    logger.error("The job is given up", { role: duty.role, error });
    const code = isIchainError(error) ? error.code : "INTERNAL";
    warn(`given up (${code}): ${error instanceof Error ? error.message : String(error)}`);
  };
  /** False when it cannot be done. */
  const bring = (work: () => Promise<void>) =>
    retryTransient(work, again, { signal }).then(
      () => true,
      (error: unknown) => {
        tell(error);
        return false;
      },
    );
  const work = async () => {
    if (journal.find(duty.role, jobId)?.finished !== undefined) return;
    journal.open(duty.role, jobId);
    await duty.work(jobId, { signal });
  };
  if ((await bring(work)) || signal.aborted) return;
  const givenUp = await bring(() => duty.giveUp(jobId, { signal }));
  if (!givenUp && signal.aborted) return;
  await bring(async () => journal.open(duty.role, jobId).finish("failed"));
}
