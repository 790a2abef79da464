import { rm } from "node:fs/promises";
import { unreachable } from "../../errors.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { Hosting } from "../../ports/transport.ts";
import { blindKey } from "../../protocol/exchange.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job.ts";
import { isFinal } from "../../protocol/state.ts";
import type { Waits, WorkerContext } from "../context.ts";
import { hostOnce } from "../shared/host-once.ts";
import { jobFolder } from "../shared/job-folder.ts";
import { leave } from "../shared/leave.ts";
import { exitFailure, runFailure, runTask } from "../shared/run-task.ts";
import { transact } from "../shared/transact.ts";
import { withdrawOwed } from "../shared/withdraw.ts";
import { admitValidators, openReport } from "./admit-validators.ts";
import { handIn } from "./hand-in.ts";
import { type Packed, packResult } from "./pack-result.ts";
import { asRefusal, isRefusal, type Taken, take, type Workshop } from "./take.ts";

/**
 * One job from posted to paid, as its provider. Resolves when nothing is left to do; safe to call again
 * after a crash at any point.
 */
export async function serve(
  context: WorkerContext,
  jobId: JobId,
  shop: Workshop,
  waits: Waits,
): Promise<void> {
  const journal = context.journal.open("provider", jobId);
  const say = (text: string) => {
    journal.note(text);
    context.reporter.emit({ kind: "info", text: `Job ${shortId(jobId)}: ${text}` });
  };
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
  const packed = await produce(context, journal, posted, taken, shop, waits);
  if (typeof packed === "string") {
    await transact(context.market, journal, { kind: "release", job: posted, reason: packed }, waits);
    say(`given back, ${packed}`);
    return end(context, journal, "failed");
  }
  const last = await deliver(context, journal, posted, { taken, packed }, waits);
  say(`ended ${last.state}`);
  return end(context, journal, last.state === "Settled" ? "done" : "failed");
}

/** Runs and packs; a string is the reason why there is no result. */
async function produce(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { bundle }: Taken,
  shop: Workshop,
  waits: Waits,
): Promise<Packed | string> {
  const home = jobFolder(context.jobsDir, "provider", job.id);
  const { spec, input } = bundle;
  const stage = { kind: "produce" as const, outputDir: home.output };
  const gpus = shop.report.gpus.slice(0, spec.resources.gpus).map(({ uuid }) => uuid);
  const produced = await runTask(context, journal, { spec, input, stage, gpus }, waits);
  // In `evaluate` the provider measures as the validator will: a task that cannot load its own result
  // is given back before it can cost the stake.
  const evaluates = spec.verification.mode === "evaluate";
  const early = evaluates ? exitFailure(produced) : runFailure(produced, spec.verification.metric);
  if (early) return early;
  const measured = evaluates
    ? await runTask(
        context,
        journal,
        { spec, input, stage: { kind: "evaluate", resultDir: home.output }, gpus },
        waits,
      )
    : produced;
  const failure = runFailure(measured, spec.verification.metric);
  if (failure) return failure;
  return packResult(context, journal, { job, spec, measured, tier: shop.report.tier }, waits);
}

/** Hosts and submits, serves requester and validators, claims: until the job is final. */
async function deliver(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { taken, packed }: { taken: Taken; packed: Packed },
  waits: Waits,
): Promise<Job> {
  const { requester } = taken.bundle;
  await using hosting = hostOnce(
    context,
    "result",
    () => ({
      identity: packed.identity,
      blobs: [packed.result.blob, packed.report.blob],
      readers: [requester],
    }),
    waits,
  );
  await hosting.start();
  const { mask } = taken.locator;
  await handIn(context, journal, { job, packed, mask, requesterKey: requester.openpgpKey }, waits);
  for await (const now of context.market.follow(job.id, waits)) {
    await react(context, journal, { job: now, taken, packed, hosting: await hosting.start() }, waits);
    if (isFinal(now.state)) return now;
  }
  return unreachable("a job ended without a final state");
}

async function react(
  context: WorkerContext,
  journal: JobJournal,
  { job, taken, packed, hosting }: { job: Job; taken: Taken; packed: Packed; hosting: Hosting },
  waits: Waits,
): Promise<void> {
  const { market } = context;
  // After a missed `claim` the way out is the requester's refund: not ours to hasten.
  if (job.state !== "Validated" && (await leave(context, journal, job, waits))) return;
  if (job.state === "Validating") {
    await admitValidators(context, hosting, job, packed, waits);
    if (!job.committing) {
      await openReport(context, hosting, job, packed, waits);
      // A validator that revealed without ours leaves it to us to show what we had committed to.
      const revealed = job.validations.some(({ measurement }) => measurement !== undefined);
      if (revealed && !job.providerMeasurement) {
        await transact(market, journal, { kind: "disclose", job, own: packed.measurement }, waits);
      }
    }
  }
  if (job.state === "Validated") {
    const blindedKey = blindKey(packed.result.sessionKey, taken.locator.mask);
    await transact(market, journal, { kind: "claim", job, blindedKey }, waits);
  }
  if (isFinal(job.state)) await withdrawOwed(context, journal, job, waits);
}

/** The journal keeps what happened; the files of a job that is over are nobody's business any more. */
async function end(context: WorkerContext, journal: JobJournal, result: "done" | "failed"): Promise<void> {
  await rm(jobFolder(context.jobsDir, "provider", journal.key as JobId).dir, {
    recursive: true,
    force: true,
  });
  journal.finish(result);
}
