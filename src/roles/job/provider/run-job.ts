import { rm } from "node:fs/promises";
import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import { type JobId, shortId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { isFinal } from "../../../protocol/job/state.ts";
import type { WorkerContext } from "../../context.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { isLost, seeOut } from "../../shared/see-out.ts";
import { takeBackGpus } from "../../task/lend-gpus.ts";
import { endLog } from "../../task/log-keeper.ts";
import { discardRuns } from "../../task/run-task.ts";
import { type Accepted, accept, asRefusal, isRefusal, type ProviderSetup } from "./accept.ts";
import { deliver } from "./deliver.ts";
import { inTime, TOO_LATE } from "./in-time.ts";
import type { Packed } from "./pack-result.ts";
import { produce } from "./produce.ts";
import { release } from "./release.ts";
import { shareLog } from "./share-log.ts";

interface Made {
  readonly job: Job;
  readonly taken: Accepted;
  readonly packed: Packed;
}

/** One job from posted to paid, as its provider; safe to call again after a crash at any point. */
export async function runJob(
  context: WorkerContext,
  jobId: JobId,
  shop: ProviderSetup,
  options: Abortable,
): Promise<void> {
  const journal = context.journal.open("provider", jobId);
  const say = (text: string) => {
    journal.note(text);
    context.reporter.emit({ kind: "info", text: `Job ${shortId(jobId)}: ${text}` });
  };
  if (isLost(journal)) {
    await seeOut(context, journal, jobId, options);
    return end(context, journal, "failed");
  }
  const over = (text: string) => {
    say(text);
    return end(context, journal, "failed");
  };
  if (journal.intent("release") !== undefined) {
    await release(context, journal, await context.market.job(jobId, options), "as recorded", options);
    return over("given back");
  }
  await using log = new AsyncDisposableStack();
  const made = await make(context, journal, jobId, { shop, log }, options);
  if (typeof made === "string") return over(made);
  await discardRuns(context, journal);
  const { job: accepted, taken, packed } = made;
  const delivered = await deliver(
    context,
    journal,
    accepted,
    { taken, packed, policy: shop.policy },
    options,
  );
  if (delivered === TOO_LATE) {
    await release(context, journal, accepted, TOO_LATE, options);
    return over(`given back, ${TOO_LATE}`);
  }
  const { job, keep } = delivered;
  say(`ended ${job.state}${keep ? "; its result is still served" : ""}`);
  await log.disposeAsync();
  await keep?.(options);
  await end(context, journal, job.state === "Settled" ? "done" : "failed");
}

/**
 * Takes the job and makes its result, in one of the places for such work; a string says how it ended without one.
 * What the task prints is served until `log` is disposed.
 */
async function make(
  context: WorkerContext,
  journal: JobJournal,
  jobId: JobId,
  { shop, log }: { shop: ProviderSetup; log: AsyncDisposableStack },
  options: Abortable,
): Promise<Made | string> {
  const { market } = context;
  const packedBefore = journal.outcome("pack") !== undefined;
  const owed = journal.intent("accept") !== undefined;
  using _place = packedBefore ? undefined : await shop.slots.take({ ...options, owed });
  const posted = await market.job(jobId, options);
  const taken = await accept(context, journal, posted, shop, options).catch((error: unknown) => {
    const refusal = journal.intent("accept") === undefined ? asRefusal(error) : undefined;
    if (refusal) return refusal;
    throw error;
  });
  if (isRefusal(taken)) return `not taken (${taken.code}), ${taken.reason}`;
  const job = await market.job(jobId, options);
  if (isFinal(job.state) && journal.intent("submit") === undefined) return `ended ${job.state}`;
  const requester = { account: job.terms.requester, keys: taken.bundle.requester };
  const maxChars = packedBefore ? 0 : shop.policy.liveLog;
  log.use(shareLog(context, journal, { jobId, requester, maxChars }, options));
  const working = (bounded: Abortable) => produce(context, journal, job, taken, shop, bounded);
  const packed = await (packedBefore
    ? working(options)
    : inTime(context, journal, job, working, options)
  ).finally(() => takeBackGpus(context, journal));
  endLog(journal);
  if (typeof packed !== "string") return { job, taken, packed };
  await release(context, journal, job, packed, options);
  return `given back, ${packed}`;
}

/** A job that was accepted and not submitted is given back, which costs nothing; silence costs the stake. */
export async function abandonJob(context: WorkerContext, jobId: JobId, options: Abortable): Promise<void> {
  const journal = context.journal.open("provider", jobId);
  if (journal.intent("accept") !== undefined && journal.intent("submit") === undefined) {
    const job = await context.market.job(jobId, options);
    if (job.state === "Accepted") {
      await release(context, journal, job, "trouble of the provider's own", options);
    }
  }
  await end(context, journal, "failed");
}

/** The journal keeps what happened; the files of a job that is over are nobody's business any more. */
async function end(context: WorkerContext, journal: JobJournal, result: "done" | "failed"): Promise<void> {
  await discardRuns(context, journal);
  await rm(jobFolder(context.jobsDir, "provider", journal.key as JobId).dir, {
    recursive: true,
    force: true,
  });
  journal.finish(result);
}
