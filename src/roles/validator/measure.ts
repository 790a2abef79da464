import type { JobJournal } from "../../ports/journal.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job.ts";
import type { ValidationLocator } from "../../protocol/locator.ts";
import type { Measurement } from "../../protocol/measurement.ts";
import { toScore, WORST_SCORE } from "../../protocol/metric.ts";
import type { Policy } from "../../protocol/policy.ts";
import { bundledKind } from "../../protocol/spec.ts";
import type { Waits, WorkerContext } from "../context.ts";
import { fetchBundle } from "../shared/fetch-bundle.ts";
import { jobFolder } from "../shared/job-folder.ts";
import { lendGpus, takeBackGpus } from "../shared/lend-gpus.ts";
import { prepareImage } from "../shared/prepare-image.ts";
import { random32 } from "../shared/random.ts";
import { cutShort, outputsOf, runFailure, runTask, type Stage } from "../shared/run-task.ts";
import { measureFailed } from "./measure-failed.ts";
import { openDelivered } from "./open-delivered.ts";

const ZERO_DIGEST: Hex = `0x${"00".repeat(32)}`;

export interface Sources {
  readonly job: Job;
  readonly locator: ValidationLocator;
  readonly policy: Policy;
}

/**
 * The validator's own measurement: of the provider's result (`evaluate`) or of a run of its own
 * (`replicate`, `digest`). A result that is not what was promised gets the worst score; trouble of our
 * own throws `MEASURE_FAILED`, which is an abstention.
 */
export async function measure(
  context: WorkerContext,
  journal: JobJournal,
  { job, locator, policy }: Sources,
  waits: Waits,
): Promise<Measurement> {
  const bundle = await fetchBundle(context, journal, { job, locator, maxBytes: policy.maxBundle }, waits);
  const delivered = await openDelivered(
    context,
    journal,
    { job, locator, disk: bundle.spec.resources.disk },
    waits,
  );
  const { spec, input } = bundle;
  const kind = bundledKind(spec.image);
  if (kind !== undefined && !policy.bundledImages[kind]) throw measureFailed("its image is not taken here");
  const { metric, goal, mode } = spec.verification;
  const home = jobFolder(context.jobsDir, "validator", job.id);
  const found = async (): Promise<Omit<Measurement, "salt">> => {
    if (delivered === undefined) return { digest: ZERO_DIGEST, score: WORST_SCORE };
    const stage: Stage =
      mode === "evaluate" ? { kind: "evaluate", resultDir: home.opened } : { kind: "produce" };
    const image = await prepareImage(context, journal, { spec, input, policy }, waits);
    const gpus = await lendGpus(context, journal, spec.resources.gpus, waits);
    const task = { spec, image, input, stage, gpus, logBytes: policy.maxLog };
    const measured = await runTask(context, journal, task, waits).finally(() =>
      takeBackGpus(context, journal),
    );
    const cut = cutShort(measured);
    if (cut) throw measureFailed(cut);
    const failure = runFailure(measured, metric);
    if (failure && mode !== "evaluate") throw measureFailed(failure);
    return {
      digest:
        mode === "evaluate"
          ? delivered
          : await context.parcels.digest(await outputsOf(context, journal, waits), spec.outputs, waits),
      score: failure ? WORST_SCORE : toScore(measured.metrics[metric] ?? Number.NaN, goal),
    };
  };
  return journal.step("measurement", {
    prepare: async () => ({ ...(await found()), salt: random32() }),
    act: (measurement) => measurement,
  });
}
