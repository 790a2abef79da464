import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Abortable, linkSignals, onAbort } from "../../async/abort.ts";
import { retryTransient } from "../../async/retry.ts";
import { isIchainError } from "../../errors/error.ts";
import type { FederatedRole, JobRole } from "../../ports/journal.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import { forJob, type RoleContext } from "../context.ts";
import { jobFolder } from "../shared/job-folder.ts";
import { isStorageTrouble, noteIfPossible, retryText } from "../shared/note.ts";

/** What a daemon does for one role. */
export interface Duty<Found extends { readonly id: JobId } = Job> {
  readonly role: JobRole | FederatedRole;
  /** Every job that may concern this role, first the present ones, then each that appears or changes; never returns. */
  watch(options: Abortable): AsyncIterable<Found>;
  /** True when this role has something to do in a job that it has not begun. */
  wants(job: Found): boolean;
  /**
   * Brings one job to its end; called again after a crash or a passing failure. All jobs run at once: work that uses
   * the machine waits for a place (`Slots`), work that waits for other parties needs none.
   */
  work(jobId: JobId, options: Abortable): Promise<void>;
  /** Ends this role's part in a job that `work` cannot bring to its end, at the least cost. The job counts as failed. */
  giveUp(jobId: JobId, options: Abortable): Promise<void>;
  /** Applies what of a changed policy this role holds on to. */
  policyChanged?(): void;
}

/**
 * Works on jobs as they appear, on those first that an earlier process left unfinished. Neither a job's failure nor a
 * journal that cannot be written for a while stops the daemon. Only `signal` does; no job is then interrupted in an
 * act that the journal does not know of. Once `draining` aborts, resolves when the jobs begun by then have ended; the
 * duty itself declines what appears meanwhile.
 */
export async function runDaemon<Found extends { readonly id: JobId }>(
  context: RoleContext,
  duty: Duty<Found>,
  { signal, draining }: Abortable & { readonly draining?: AbortSignal | undefined },
): Promise<void> {
  const stop = new AbortController();
  using stack = new DisposableStack();
  using options = linkSignals([signal, stop.signal]);
  const running = new Map<JobId, Promise<void>>();
  const begin = (jobId: JobId): void => {
    if (running.has(jobId)) return;
    running.set(
      jobId,
      workOn(context, duty, jobId, options).finally(() => running.delete(jobId)),
    );
  };
  try {
    const unfinished = await retryTransient(
      async () => {
        if (duty.role !== "requester") await sweepFolders(context, duty.role);
        return context.journal.undertakings({ role: duty.role, unfinished: true });
      },
      (error, pause) => context.reporter.emit({ kind: "warn", text: retryText(error, pause) }),
      options,
    );
    for (const { key } of unfinished) begin(key as JobId);
    if (draining)
      stack.use(onAbort(draining, () => void Promise.all(running.values()).then(() => stop.abort())));
    for await (const job of duty.watch(options)) {
      if (duty.wants(job)) begin(job.id);
    }
  } catch (error) {
    if (signal.aborted || !stop.signal.aborted) throw error; // else it is drained
  } finally {
    stop.abort();
    await Promise.all(running.values());
  }
}

/** Brings a job to its end, or gives it up, with a warning and a note, where that is impossible. Never rejects. */
async function workOn(
  context: RoleContext,
  duty: Omit<Duty, "watch" | "wants">,
  jobId: JobId,
  { signal }: Abortable,
): Promise<void> {
  const { journal, reporter, logger } = forJob(context, jobId);
  const report = (text: string) => reporter.emit({ kind: "warn", text: `Job ${shortId(jobId)}: ${text}` });
  const reportAndNote = (text: string) => {
    report(text);
    noteIfPossible(() => journal.open(duty.role, jobId), text);
  };
  const onRetry = (error: Error, pause: number) => {
    const text = retryText(error, pause);
    // The journal is what cannot be written: a note would wait for it once more.
    if (isStorageTrouble(error)) report(text);
    else reportAndNote(text);
  };
  /** Resolves with false when `work` failed for good. */
  const attempt = (work: () => Promise<void>): Promise<boolean> =>
    retryTransient(work, onRetry, { signal }).then(
      () => true,
      (error: unknown) => {
        if (signal.aborted) return false; // the next start continues it
        logger.error("The job is given up", { role: duty.role, error });
        const code = isIchainError(error) ? error.code : "INTERNAL";
        reportAndNote(`given up (${code}): ${error instanceof Error ? error.message : String(error)}`);
        return false;
      },
    );
  const work = async () => {
    if (journal.find(duty.role, jobId)?.finished !== undefined) return;
    journal.open(duty.role, jobId);
    await duty.work(jobId, { signal });
  };
  if ((await attempt(work)) || signal.aborted) return;
  const givenUp = await attempt(() => duty.giveUp(jobId, { signal }));
  if (!givenUp && signal.aborted) return;
  await attempt(async () => journal.open(duty.role, jobId).finish("failed"));
}

/**
 * Removes the folders of jobs that are over or unknown to the journal: a process that was killed while it gave a job
 * up leaves one. A requester's folders hold its results: `tidy` removes those, when it is time.
 */
async function sweepFolders(
  { jobsDir, journal, reporter }: Pick<RoleContext, "jobsDir" | "journal" | "reporter">,
  role: Duty["role"],
): Promise<void> {
  const names = await readdir(join(jobsDir, role)).catch(() => []);
  const unfinished = new Set(journal.undertakings({ role, unfinished: true }).map(({ key }) => key.slice(2)));
  for (const name of names.filter((one) => !unfinished.has(one))) {
    const { dir } = jobFolder(jobsDir, role, `0x${name}` as JobId);
    await rm(dir, { recursive: true, force: true }).catch((error: Error) =>
      reporter.emit({ kind: "warn", text: `The folder of a finished job was not removed: ${error.message}` }),
    );
  }
}
