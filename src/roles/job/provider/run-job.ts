import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { JobId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { isFinal } from "../../../protocol/job/state.ts";
import type { Refusal } from "../../../protocol/policy/refusal.ts";
import { forJob, type WorkerContext } from "../../context.ts";
import type { Duty } from "../../daemon/daemon.ts";
import { openSlots } from "../../daemon/slots.ts";
import { endLostJob, isLost } from "../../shared/lost-job.ts";
import { noteAndReport } from "../../shared/note.ts";
import { isHalfFetched } from "../../task/await-host.ts";
import { endLog } from "../../task/log-keeper.ts";
import { releaseGpus } from "../../task/reserve-gpus.ts";
import { discardRuns, finishWork } from "../../task/run-task.ts";
import {
  type Accepted,
  accept,
  asRefusal,
  awaitBundleHost,
  isRefusal,
  type ProviderSetup,
} from "./accept.ts";
import { deliver } from "./deliver.ts";
import type { Packed } from "./pack-result.ts";
import { produce } from "./produce.ts";
import { release } from "./release.ts";
import { shareLog } from "./share-log.ts";
import { TOO_LATE, withinRunWindow } from "./within-run-window.ts";

/** What `ichain provide` does: it works on every posted job that names this account. */
export function provideDuty(context: WorkerContext, machine: Omit<ProviderSetup, "slots">): Duty {
  const setup = { ...machine, slots: openSlots(machine.policy.maxJobs) };
  return {
    role: "provider",
    filter: { provider: context.account },
    wants: (job) => job.state === "Posted",
    work: (jobId, options) => runJob(forJob(context, jobId), jobId, setup, options),
    giveUp: (jobId, options) => abandonJob(forJob(context, jobId), jobId, options),
  };
}

interface Made {
  readonly job: Job;
  readonly accepted: Accepted;
  readonly packed: Packed;
}

/** One job from posted to paid, as its provider; safe to call again after a crash at any point. */
export async function runJob(
  context: WorkerContext,
  jobId: JobId,
  setup: ProviderSetup,
  options: Abortable,
): Promise<void> {
  const journal = context.journal.open("provider", jobId);
  const fail = (text: string) => {
    noteAndReport(context, journal, text);
    return finishWork(context, journal, "failed");
  };
  if (isLost(journal)) {
    await endLostJob(context, journal, jobId, options);
    return finishWork(context, journal, "failed");
  }
  if (journal.intent("release") !== undefined) {
    await release(context, journal, await context.market.job(jobId, options), "as recorded", options);
    return fail("given back");
  }
  await using log = new AsyncDisposableStack();
  const made = await make(context, journal, jobId, { setup, log }, options);
  if (typeof made === "string") return fail(made);
  await discardRuns(context, journal);
  const { job, ...result } = made;
  const delivered = await deliver(context, journal, job, { ...result, policy: setup.policy }, options);
  if (delivered === TOO_LATE) {
    await release(context, journal, job, TOO_LATE, options);
    return fail(`given back, ${TOO_LATE}`);
  }
  const { job: last, keep } = delivered;
  noteAndReport(context, journal, `ended ${last.state}${keep ? "; its result is still served" : ""}`);
  await log.disposeAsync();
  await keep?.(options);
  await finishWork(context, journal, last.state === "Settled" ? "done" : "failed");
}

/**
 * Accepts the job and makes its result, in one of the machine's slots; resolves with the reason where there is no
 * result. The task's output is served until `log` is disposed.
 */
async function make(
  context: WorkerContext,
  journal: JobJournal,
  jobId: JobId,
  { setup, log }: { setup: ProviderSetup; log: AsyncDisposableStack },
  options: Abortable,
): Promise<Made | string> {
  const { market } = context;
  const packedBefore = journal.outcome("pack") !== undefined;
  const atRisk = journal.intent("accept") !== undefined;
  if (isHalfFetched(journal, "bundle")) {
    const gone = await awaitBundleHost(context, journal, await market.job(jobId, options), options);
    if (gone) return refusalText(gone);
  }
  using _slot = packedBefore ? undefined : await setup.slots.take({ ...options, atRisk });
  const posted = await market.job(jobId, options);
  const accepted = await accept(context, journal, posted, setup, options).catch((error: unknown) => {
    const refusal = journal.intent("accept") === undefined ? asRefusal(error) : undefined;
    if (refusal) return refusal;
    throw error;
  });
  if (isRefusal(accepted)) return refusalText(accepted);
  const job = await market.job(jobId, options);
  if (isFinal(job.state) && journal.intent("submit") === undefined) return `ended ${job.state}`;
  const requester = { account: job.terms.requester, keys: accepted.bundle.requester };
  const maxChars = packedBefore ? 0 : setup.policy.liveLog;
  log.use(shareLog(context, journal, { jobId, requester, maxChars }, options));
  const working = (bounded: Abortable) => produce(context, journal, job, accepted, setup, bounded);
  const packed = await (packedBefore
    ? working(options)
    : withinRunWindow(context, journal, job, working, options)
  ).finally(() => releaseGpus(context, journal));
  endLog(journal);
  if (typeof packed !== "string") return { job, accepted, packed };
  await release(context, journal, job, packed, options);
  return `given back, ${packed}`;
}

function refusalText({ code, reason }: Refusal): string {
  return `not accepted (${code}), ${reason}`;
}

/** Gives back a job that was accepted and not submitted: that costs nothing, a missed deadline costs the stake. */
export async function abandonJob(context: WorkerContext, jobId: JobId, options: Abortable): Promise<void> {
  const journal = context.journal.open("provider", jobId);
  if (journal.intent("accept") !== undefined && journal.intent("submit") === undefined) {
    const job = await context.market.job(jobId, options);
    if (job.state === "Accepted") {
      await release(context, journal, job, "trouble of the provider's own", options);
    }
  }
  await finishWork(context, journal, "failed");
}
