import type { JobJournal } from "../../ports/journal.ts";
import type { Job } from "../../protocol/job.ts";
import type { Waits, WorkerContext } from "../context.ts";
import { jobFolder } from "../shared/job-folder.ts";
import { exitFailure, runFailure, runTask } from "../shared/run-task.ts";
import { type Packed, packResult } from "./pack-result.ts";
import type { Taken, Workshop } from "./take.ts";

/** Runs and packs; a string is the reason why there is no result. */
export async function produce(
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
  const logBytes = shop.policy.maxLog;
  const produced = await runTask(context, journal, { spec, input, stage, gpus, logBytes }, waits);
  // In `evaluate` the provider measures as the validator will: a task that cannot load its own result
  // is given back before it can cost the stake.
  const evaluates = spec.verification.mode === "evaluate";
  const early = evaluates ? exitFailure(produced) : runFailure(produced, spec.verification.metric);
  if (early) return early;
  const measured = evaluates
    ? await runTask(
        context,
        journal,
        { spec, input, stage: { kind: "evaluate", resultDir: home.output }, gpus, logBytes },
        waits,
      )
    : produced;
  const failure = runFailure(measured, spec.verification.metric);
  if (failure) return failure;
  return packResult(context, journal, { job, spec, produced, measured, tier: shop.report.tier }, waits);
}
