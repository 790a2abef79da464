import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { HostIdentity } from "../../../ports/transport.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { isStable } from "../../../protocol/task/judgement.ts";
import { toScore } from "../../../protocol/task/metric.ts";
import type { Spec } from "../../../protocol/task/spec.ts";
import type { WorkerContext } from "../../context.ts";
import { ensureImage } from "../../task/ensure-image.ts";
import { exitFailure, type Measured, outputsOf, runFailure, runTask } from "../../task/run-task.ts";
import type { Accepted, ProviderSetup } from "./accept.ts";
import { type Packed, packResult } from "./pack-result.ts";

/** Runs the task and packs its result; resolves with the reason where there is no result. */
export async function produce(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { bundle, gpus, identity }: Accepted & { identity: HostIdentity },
  { policy, report }: ProviderSetup,
  options: Abortable,
): Promise<Packed | string> {
  const packed = journal.outcome<Packed>("pack");
  if (packed !== undefined) return packed; // its outputs were discarded
  const { spec, input } = bundle;
  const logBytes = policy.maxLog;
  const image = await ensureImage(context, journal, { spec, input, policy }, options).catch(asReason);
  if (typeof image !== "string") return image.reason;
  const task = { spec, image, input, gpus, logBytes };
  const produced = await runTask(context, journal, { ...task, stage: { kind: "produce" } }, options);
  // In `evaluate` the provider measures as a validator will, and twice: it gives back a job whose task cannot load its
  // own result, or measures another value each time, instead of risking the stake.
  // In an exam it cannot measure at all.
  const { mode } = spec.verification;
  const evaluates = mode === "evaluate";
  const prints = mode === "replicate" || mode === "digest";
  const early = prints ? runFailure(produced, spec.verification.metric) : exitFailure(produced);
  if (early) return early;
  const outputs = await outputsOf(context, journal, options).catch(lostOutputs);
  if (outputs === undefined) return "the task's outputs were lost before they could be packed";
  const failureOf = (run: Measured) => runFailure(run, spec.verification.metric) ?? worthless(job, spec, run);
  const evaluate = (kind: "evaluate" | "evaluate-again") =>
    runTask(context, journal, { ...task, stage: { kind, resultDir: outputs } }, options);
  const measured = evaluates ? await evaluate("evaluate") : produced;
  const failure = mode === "exam" ? undefined : failureOf(measured);
  if (failure) return failure;
  if (evaluates) {
    const again = await evaluate("evaluate-again");
    const differs = failureOf(again) ?? unstable(job, spec, [measured, again]);
    if (differs) return differs;
  }
  const findings = { job, spec, image, outputs, produced, measured, tier: report.tier, identity };
  return packResult(context, journal, findings, options).catch(asUndeliverable);
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

/** Reasons without names of files, because they are published on the chain. */
const undeliverable: Readonly<Record<string, string>> = {
  PARCEL_INPUT_MISSING: "the task did not leave all the outputs that its spec names",
  PARCEL_INPUT_TOO_LARGE: "the task left more than a parcel holds",
  PARCEL_UNSAFE_PATH: "the task left a file with a name that no parcel carries",
  PARCEL_UNSUPPORTED_FILE: "the task left something that is no plain file or folder",
};

/** Outputs that cannot be delivered are the job's fault. */
export function asUndeliverable(error: unknown): string {
  const reason = isIchainError(error) && error.class === "usage" ? undeliverable[error.code] : undefined;
  if (reason === undefined) throw error;
  return reason;
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
