import { rm } from "node:fs/promises";
import type { JobJournal } from "../../ports/journal.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { Waits, WorkerContext } from "../context.ts";
import type { Afterwards } from "../shared/daemon.ts";
import { jobFolder } from "../shared/job-folder.ts";
import { takeBackGpus } from "../shared/lend-gpus.ts";
import { endLog } from "../shared/log-keeper.ts";
import { discardRuns } from "../shared/run-task.ts";
import { isLost, seeOut } from "../shared/see-out.ts";
import { transact } from "../shared/transact.ts";
import { deliver } from "./deliver.ts";
import { produce } from "./produce.ts";
import { shareLog } from "./share-log.ts";
import { asRefusal, isRefusal, take, type Workshop } from "./take.ts";

/**
 * One job from posted to paid, as its provider; safe to call again after a crash at any point. What it
 * may resolve with is to be done beside other jobs.
 */
export async function serve(
  context: WorkerContext,
  jobId: JobId,
  shop: Workshop,
  waits: Waits,
): Promise<Afterwards | undefined> {
  const journal = context.journal.open("provider", jobId);
  const say = (text: string) => {
    journal.note(text);
    context.reporter.emit({ kind: "info", text: `Job ${shortId(jobId)}: ${text}` });
  };
  if (isLost(journal)) {
    await seeOut(context, journal, jobId, waits);
    return end(context, journal, "failed");
  }
  const posted = await context.market.job(jobId, waits);
  const taken = await take(context, journal, posted, shop, waits).catch((error: unknown) => {
    const refusal = journal.intent("accept") === undefined ? asRefusal(error) : undefined;
    if (refusal) return refusal;
    throw error;
  });
  if (isRefusal(taken)) {
    say(`not taken, ${taken.reason}`);
    return end(context, journal, "failed");
  }
  const requester = { account: posted.terms.requester, keys: taken.bundle.requester };
  const maxChars = journal.outcome("pack") === undefined ? shop.policy.liveLog : 0;
  await using _log = shareLog(context, journal, { jobId, requester, maxChars }, waits);
  const packed = await produce(context, journal, posted, taken, shop, waits).finally(() =>
    takeBackGpus(context, journal),
  );
  endLog(journal);
  if (typeof packed === "string") {
    await transact(context.market, journal, { kind: "release", job: posted, reason: packed }, waits);
    say(`given back, ${packed}`);
    return end(context, journal, "failed");
  }
  await discardRuns(context, journal);
  const { policy } = shop;
  const { job, keep } = await deliver(context, journal, posted, { taken, packed, policy }, waits);
  say(`ended ${job.state}${keep ? "; its result is still served" : ""}`);
  const result = job.state === "Settled" ? "done" : "failed";
  if (!keep) return end(context, journal, result);
  return async (later) => {
    await keep(later);
    if (!later.signal.aborted) await end(context, journal, result);
  };
}

/** A job that was accepted and not submitted is given back, which costs nothing; silence costs the stake. */
export async function giveUp(context: WorkerContext, jobId: JobId, waits: Waits): Promise<void> {
  const journal = context.journal.open("provider", jobId);
  await discardRuns(context, journal);
  if (journal.intent("accept") === undefined || journal.intent("submit") !== undefined) return;
  const job = await context.market.job(jobId, waits);
  if (job.state !== "Accepted") return;
  const reason = "trouble of the provider's own";
  await transact(context.market, journal, { kind: "release", job, reason }, waits);
}

/** The journal keeps what happened; the files of a job that is over are nobody's business any more. */
async function end(
  context: WorkerContext,
  journal: JobJournal,
  result: "done" | "failed",
): Promise<undefined> {
  await discardRuns(context, journal);
  await rm(jobFolder(context.jobsDir, "provider", journal.key as JobId).dir, {
    recursive: true,
    force: true,
  });
  journal.finish(result);
}
