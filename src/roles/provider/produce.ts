import { isIchainError } from "../../errors.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { Job } from "../../protocol/job.ts";
import { toScore } from "../../protocol/metric.ts";
import type { Spec } from "../../protocol/spec.ts";
import type { Waits, WorkerContext } from "../context.ts";
import { prepareImage } from "../shared/prepare-image.ts";
import { exitFailure, type Measured, outputsOf, runFailure, runTask } from "../shared/run-task.ts";
import { type Packed, packResult } from "./pack-result.ts";
import type { Taken, Workshop } from "./take.ts";

/** Runs and packs; a string is the reason why there is no result. */
export async function produce(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { bundle, gpus }: Taken,
  shop: Workshop,
  waits: Waits,
): Promise<Packed | string> {
  const packed = journal.outcome<Packed>("pack");
  if (packed !== undefined) return packed; // what it was packed from is gone
  const { spec, input } = bundle;
  const { policy } = shop;
  const logBytes = policy.maxLog;
  const image = await prepareImage(context, journal, { spec, input, policy }, waits).catch(asReason);
  if (typeof image !== "string") return image.reason;
  const task = { spec, image, input, gpus, logBytes };
  const produced = await runTask(context, journal, { ...task, stage: { kind: "produce" } }, waits);
  // In `evaluate` the provider measures as the validator will: a task that cannot load its own result
  // is given back before it can cost the stake.
  const evaluates = spec.verification.mode === "evaluate";
  const early = evaluates ? exitFailure(produced) : runFailure(produced, spec.verification.metric);
  if (early) return early;
  const outputs = await outputsOf(context, journal, waits).catch(lost);
  if (outputs === undefined) return "what the task left was lost before it could be packed";
  const measured = evaluates
    ? await runTask(context, journal, { ...task, stage: { kind: "evaluate", resultDir: outputs } }, waits)
    : produced;
  const failure = runFailure(measured, spec.verification.metric) ?? hopeless(job, spec, measured);
  if (failure) return failure;
  const findings = { job, spec, image, outputs, produced, measured, tier: shop.report.tier };
  return packResult(context, journal, findings, waits).catch(unfit);
}

/** An image that cannot be made is the job's fault: the job is given back. */
function asReason(error: unknown): { reason: string } {
  if (!isIchainError(error) || (error.class !== "refused" && error.class !== "untrusted")) throw error;
  return { reason: typeof error.details.why === "string" ? error.details.why : error.code };
}

/** A power cut: the run is on record, and its disk is not what it was. */
function lost(error: unknown): undefined {
  if (!isIchainError(error, "OUTPUTS_LOST")) throw error;
}

/** Nobody is told the names of files: the reason stands on the chain. */
const unfits: Readonly<Record<string, string>> = {
  PARCEL_INPUT_MISSING: "the task did not leave all the outputs that its spec names",
  PARCEL_INPUT_TOO_LARGE: "the task left more than a parcel holds",
  PARCEL_UNSAFE_PATH: "the task left a file with a name that no parcel carries",
  PARCEL_UNSUPPORTED_FILE: "the task left something that is no plain file or folder",
};

/** Outputs that cannot be delivered are the job's fault. */
function unfit(error: unknown): string {
  const reason = isIchainError(error) && error.class === "usage" ? unfits[error.code] : undefined;
  if (reason === undefined) throw error;
  return reason;
}

/** What already fails by its own measure would only cost the stake if it were submitted. */
function hopeless({ terms }: Job, { verification }: Spec, { metrics }: Measured): string | undefined {
  const { metric, goal } = verification;
  const value = metrics[metric] ?? Number.NaN;
  try {
    const short = terms.mode !== "digest" && toScore(value, goal) < terms.threshold;
    return short ? `the task's ${metric} is ${value}, which does not reach the threshold` : undefined;
  } catch (error) {
    if (isIchainError(error, "METRIC_OUT_OF_RANGE")) return error.message;
    throw error;
  }
}
