import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { HostIdentity } from "../../../ports/transport.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { Tier } from "../../../protocol/offer.ts";
import { hasTimeToRepeat } from "../../../protocol/policy/windows.ts";
import { isFailurePaid, isSameFailure } from "../../../protocol/task/failure.ts";
import { isStable } from "../../../protocol/task/judgement.ts";
import { toScore } from "../../../protocol/task/metric.ts";
import type { Spec } from "../../../protocol/task/spec.ts";
import type { WorkerContext } from "../../context.ts";
import { noteAndReport } from "../../shared/note.ts";
import { attempt, type Fault, faultOf, undeliverableFault } from "../../task/attempt.ts";
import { ensureImage } from "../../task/ensure-image.ts";
import {
  discardRuns,
  exitFailure,
  type Measured,
  outputsOf,
  runFailure,
  runTask,
  type Task,
} from "../../task/run-task.ts";
import type { Accepted, ProviderSetup } from "./accept.ts";
import { type Packed, packFailure, packResult } from "./pack-result.ts";

/** The journal's step: once a fault is known, the outputs of the first run are not needed. */
const FAULT = "fault";

type Making = Accepted & { identity: HostIdentity };

/**
 * Runs the task and packs its result, or its report where it failed and validators can see that it does; resolves with
 * the reason where there is nothing to submit.
 */
export async function produce(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  making: Making,
  setup: ProviderSetup,
  options: Abortable,
): Promise<Packed | string> {
  const packed = journal.outcome<Packed>("pack");
  if (packed !== undefined) return packed; // its outputs were discarded
  const { bundle, gpus } = making;
  const { spec, input } = bundle;
  const { policy } = setup;
  const image = await ensureImage(context, journal, { spec, input, policy }, options).catch(asReason);
  if (typeof image !== "string") return image.reason;
  const task = { spec, image, input, gpus, logBytes: policy.maxLog };
  const place = { identity: making.identity, tier: setup.report.tier, logChars: policy.liveLog };
  const made =
    journal.outcome<Fault>(FAULT) ?? (await makeResult(context, journal, job, { task, ...place }, options));
  if (!("reason" in made)) return made;
  return confirmFault(context, journal, job, { fault: made, task, ...place }, options);
}

interface Work {
  /** Shown of the log of a run that failed, at most. */
  readonly logChars: number;
  readonly task: Omit<Task, "stage">;
  readonly identity: HostIdentity;
  readonly tier: Tier;
}

async function makeResult(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { task, identity, tier }: Work,
  options: Abortable,
): Promise<Packed | Fault> {
  const { spec, image } = task;
  const { metric, mode } = spec.verification;
  const produced = await runTask(context, journal, { ...task, stage: { kind: "produce" } }, options);
  // In `evaluate` the provider measures as a validator will, and twice: it gives back a job whose task cannot load its
  // own result, or measures another value each time, instead of risking the stake.
  // In an exam it cannot measure at all.
  const evaluates = mode === "evaluate";
  const prints = mode === "replicate" || mode === "digest";
  const early = prints ? runFailure(produced, metric) : exitFailure(produced);
  if (early) return faultOf(produced, "0", early);
  const outputs = await outputsOf(context, journal, options).catch(lostOutputs);
  if (outputs === undefined) return { reason: "the task's outputs were lost before they could be packed" };
  const evaluate = (kind: "evaluate" | "evaluate-again") =>
    runTask(context, journal, { ...task, stage: { kind, resultDir: outputs } }, options);
  const measured = evaluates ? await evaluate("evaluate") : produced;
  const unmeasured = evaluates ? runFailure(measured, metric) : undefined;
  if (unmeasured) return faultOf(measured, "1", unmeasured);
  const short = mode === "exam" ? undefined : worthless(job, spec, measured);
  if (short) return { reason: short };
  if (evaluates) {
    const again = await evaluate("evaluate-again");
    const differs =
      runFailure(again, metric) ?? worthless(job, spec, again) ?? unstable(job, spec, [measured, again]);
    if (differs) return { reason: differs };
  }
  const findings = { job, spec, image, outputs, produced, measured, tier, identity };
  return packResult(context, journal, findings, options).catch(undeliverableFault);
}

/**
 * Runs a task that failed once more, and packs its report if it fails in the same way and validators can confirm it;
 * resolves with the reason to give the job back otherwise.
 */
async function confirmFault(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { fault, task, ...place }: Work & { fault: Fault },
  options: Abortable,
): Promise<Packed | string> {
  const { reason, failure } = await journal.step(FAULT, { prepare: () => fault, act: (known) => known });
  if (failure === undefined || !isFailurePaid(job.terms, task.spec)) return reason;
  const produced = journal.outcome<Measured>("run-produce");
  if (produced === undefined) return reason;
  const measured = journal.outcome<Measured>("run-evaluate") ?? produced;
  const took = produced.run.wallSeconds + (measured === produced ? 0 : measured.run.wallSeconds);
  const { deadline = Number.POSITIVE_INFINITY } = job;
  if (!hasTimeToRepeat(took, deadline - (await context.market.now(options)))) return reason;
  await discardRuns(context, journal, ["produce", "evaluate"]); // the disk is meant for one run
  const second = await attempt(context, journal, { ...task, claimed: failure.run, again: true }, options);
  const same = "reason" in second && second.failure !== undefined && isSameFailure(second.failure, failure);
  if (!same) return `${reason}, and not so in a second run`;
  noteAndReport(context, journal, `its run failed twice, ${reason}: its report is submitted`);
  const { spec, image } = task;
  const findings = { job, spec, image, produced, measured, failure, ...place };
  return packFailure(context, journal, findings, options);
}

/** An image that cannot be built is the job's fault: the job is given back. */
function asReason(error: unknown): { reason: string } {
  if (!isIchainError(error) || (error.class !== "refused" && error.class !== "untrusted")) throw error;
  return { reason: typeof error.details.why === "string" ? error.details.why : error.code };
}

/** After a power cut the journal has the run, but its disk is incomplete. */
function lostOutputs(error: unknown): undefined {
  if (!isIchainError(error, "OUTPUTS_LOST")) throw error;
}

/** Why two evaluations cannot be submitted: a validator may measure a third value, and the stake would be lost. */
function unstable({ terms }: Job, { verification }: Spec, runs: readonly Measured[]): string | undefined {
  const { metric, goal } = verification;
  const [first, second] = runs.map(({ metrics }) => toScore(metrics[metric] ?? Number.NaN, goal));
  return isStable(terms, first ?? 0n, second ?? 0n) ? undefined : "its metric is not stable";
}

/**
 * Why a result earns nothing by the provider's own measurement. One that is short of the threshold earns its effort where
 * validators can confirm it.
 */
function worthless({ terms }: Job, { verification }: Spec, { metrics }: Measured): string | undefined {
  const { metric, goal } = verification;
  const value = metrics[metric] ?? Number.NaN;
  const isPaidShort = terms.effort > 0 && terms.validators > 0;
  try {
    const short = terms.mode !== "digest" && toScore(value, goal) < terms.threshold;
    if (!short || isPaidShort) return undefined;
    return `the task's ${metric} is ${value}, which does not reach the threshold`;
  } catch (error) {
    if (isIchainError(error, "METRIC_OUT_OF_RANGE")) return error.message;
    throw error;
  }
}
