import { rm } from "node:fs/promises";
import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Sandbox } from "../../../ports/sandbox.ts";
import type { JobId } from "../../../protocol/ids.ts";
import { MAX_FILES } from "../../../protocol/limits.ts";
import { meetsDemand, unmetGpus } from "../../../protocol/machine/gpus.ts";
import { toScore, WORST_SCORE } from "../../../protocol/task/metric.ts";
import type { RoleContext } from "../../context.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { unpackKept } from "../../task/kept/kept-inputs.ts";
import { cutShort, discardRuns, runFailure, runTask } from "../../task/run-task.ts";
import type { Draft } from "./posting/draft.ts";

/** Only the metrics are read, which are in the last lines. */
const LOG_BYTES = 1 << 20;

/** For an image in the requester's own bundle. */
const IMAGE_BOUNDS = { maxBytes: 2 ** 35, seconds: 3600, memoryBytes: 2 ** 32, cpus: 64 };

/**
 * Evaluates the opened result in the requester's own sandbox, as a validator does. Undefined when this machine cannot:
 * no engine, no such image, or too few resources.
 */
export async function evaluate(
  context: RoleContext,
  sandbox: Sandbox,
  journal: JobJournal,
  { spec, bundle, bundleKey, kept = [] }: Draft,
  { signal }: Abortable,
): Promise<bigint | undefined> {
  const home = jobFolder(context.jobsDir, "requester", journal.key as JobId);
  const worker = { ...context, sandbox };
  try {
    const { gpus } = await sandbox.probe({ signal });
    if (unmetGpus(gpus, spec.resources)) return undefined;
    await rm(home.input, { recursive: true, force: true });
    const limits = { maxBytes: Number.MAX_SAFE_INTEGER, maxFiles: MAX_FILES }; // this account packed it
    await context.parcels.open({ blob: bundle, sessionKey: bundleKey, into: home.input, limits }, { signal });
    for (const one of kept) await unpackKept(context.parcels, one, { input: home.input }, { signal });
    const stage = { kind: "evaluate" as const, resultDir: home.opened };
    const fit = gpus.filter((gpu) => meetsDemand(gpu, spec.resources.gpu));
    const lent = fit.slice(0, spec.resources.gpus).map(({ uuid }) => uuid);
    // The image in the bundle is this account's own: it needs no policy.
    const image =
      typeof spec.image === "string"
        ? spec.image
        : await sandbox.prepare({ dir: home.input, ...spec.image }, IMAGE_BOUNDS, { signal });
    const task = { spec, image, input: home.input, stage, gpus: lent, logBytes: LOG_BYTES };
    const measured = await runTask(worker, journal, task, { signal });
    if (cutShort(measured)) return undefined;
    const { metric, goal } = spec.verification;
    if (runFailure(measured, metric)) return WORST_SCORE;
    return toScore(measured.metrics[metric] ?? Number.NaN, goal);
  } catch (error) {
    if (signal.aborted || !isIchainError(error) || error.class === "internal") throw error;
    context.reporter.emit({ kind: "warn", text: `The result was not measured here: ${error.message}` });
    return undefined;
  } finally {
    await discardRuns(worker, journal);
    await rm(home.input, { recursive: true, force: true });
  }
}
