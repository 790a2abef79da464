import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { PackedParcel } from "../../../ports/parcels.ts";
import type { Blob, HostIdentity } from "../../../ports/transport.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { reportKey } from "../../../protocol/job/exchange.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { Measurement } from "../../../protocol/job/measurement.ts";
import type { Tier } from "../../../protocol/offer.ts";
import { type Failure, failureNote } from "../../../protocol/task/failure.ts";
import { FAILED_RUN } from "../../../protocol/task/judgement.ts";
import { toScore } from "../../../protocol/task/metric.ts";
import type { Report } from "../../../protocol/task/report.ts";
import type { Spec } from "../../../protocol/task/spec.ts";
import type { WorkerContext } from "../../context.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { random32 } from "../../shared/random.ts";
import { endOfLog, type Measured } from "../../task/run-task.ts";

/**
 * Result and run report, encrypted under two keys, because validators get the report later than the result. Of a run
 * that failed both are the same parcel: there is nothing in its report that validators do not need to run the task again.
 */
export interface Packed {
  readonly result: PackedParcel;
  readonly report: PackedParcel;
  /** Absent of a run that failed. */
  readonly reportShare?: Hex;
  readonly measurement: Measurement;
  /** Start of the hash chain of the provider's seeds for draws. */
  readonly seedSecret: Hex;
  readonly identity: HostIdentity;
}

interface Runs {
  readonly spec: Spec;
  /** Digest of the image of both runs. */
  readonly image: string;
  readonly produced: Measured;
  /** The run that the measurement is of: `produced` itself unless the mode is `evaluate`. */
  readonly measured: Measured;
  readonly tier: Tier;
}

export interface Findings extends Runs {
  /** Folder with the task's outputs. */
  readonly outputs: string;
  /** Where the result will be hosted. */
  readonly identity: HostIdentity;
}

const STEP = "pack";
const REPORT_PATHS = ["report.json", "log.txt"];

/** Packs and encrypts the result and the run report, as one step: keys, salt and seed are drawn once. */
export function packResult(
  context: WorkerContext,
  journal: JobJournal,
  { job, identity: place, ...findings }: Findings & { job: Job },
  options: Abortable,
): Promise<Packed> {
  const { spec, measured } = findings;
  const home = jobFolder(context.jobsDir, "provider", job.id);
  return journal.step(STEP, {
    prepare: async () => ({
      resultKey: random32(),
      reportShare: random32(),
      salt: random32(),
      seedSecret: random32(),
      identity: place,
    }),
    act: async ({ resultKey, reportShare, salt, seedSecret, identity }) => {
      const { metric, goal, mode } = spec.verification;
      const result = await context.parcels.pack(
        { root: findings.outputs, paths: spec.outputs, out: home.result, sessionKey: resultKey },
        options,
      );
      const measurement = {
        digest: result.digest,
        // In an exam the provider has none.
        score: mode === "exam" ? 0n : toScore(measured.metrics[metric] ?? Number.NaN, goal),
        salt,
      };
      await writeReport(home.reportFiles, job.id, { ...findings, measurement });
      const report = await context.parcels.pack(
        {
          root: home.reportFiles,
          paths: REPORT_PATHS,
          out: home.report,
          sessionKey: reportKey(resultKey, reportShare),
        },
        options,
      );
      return { result, report, reportShare, measurement, seedSecret, identity };
    },
  });
}

/**
 * Packs the report of a run that failed, which is delivered in place of a result; one step like `packResult`. It has the
 * last `logChars` UTF-16 units of the log: the price is not paid for it, and a task can print its result.
 */
export function packFailure(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    identity: place,
    failure,
    logChars,
    ...runs
  }: Runs & Pick<Findings, "identity"> & { job: Job; failure: Failure; logChars: number },
  options: Abortable,
): Promise<Packed> {
  const home = jobFolder(context.jobsDir, "provider", job.id);
  return journal.step(STEP, {
    prepare: () => ({ sessionKey: random32(), salt: random32(), seedSecret: random32(), identity: place }),
    act: async ({ sessionKey, salt, seedSecret, identity }) => {
      const measurement = { digest: FAILED_RUN, score: 0n, salt };
      await writeReport(home.reportFiles, job.id, { ...runs, measurement, failed: { failure, logChars } });
      const report = await context.parcels.pack(
        {
          root: home.reportFiles,
          paths: REPORT_PATHS,
          out: home.report,
          sessionKey,
          note: failureNote(failure),
        },
        options,
      );
      return { result: report, report, measurement, seedSecret, identity };
    },
  });
}

/** The parcels that are hosted for requester and validators. */
export function deliveredBlobs({ result, report }: Packed): Blob[] {
  return result.blob.root === report.blob.root ? [report.blob] : [result.blob, report.blob];
}

async function writeReport(
  dir: string,
  jobId: Hex,
  {
    spec,
    image,
    produced,
    measured,
    tier,
    measurement,
    failed,
  }: Runs & { measurement: Measurement; failed?: { failure: Failure; logChars: number } },
): Promise<void> {
  const evaluated = measured !== produced;
  const report: Report = {
    version: 1,
    jobId,
    image,
    tier,
    measurement: { ...measurement, score: measurement.score.toString() },
    metrics: failed ? {} : measured.metrics,
    run: usageOf(produced, spec),
    ...(evaluated ? { evaluation: usageOf(measured, spec) } : {}),
    ...(failed ? { failure: failed.failure } : {}),
  };
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeFile(join(dir, "report.json"), JSON.stringify(report));
  const evaluation = evaluated ? `\n[evaluation]\n${measured.run.log}` : "";
  const log = `${produced.run.log}${evaluation}`;
  await writeFile(join(dir, "log.txt"), failed ? endOfLog(log, failed.logChars) : log);
}

function usageOf({ run }: Measured, { resources }: Spec): Report["run"] {
  const { exitCode, wallSeconds, cpuSeconds, peakMemoryBytes } = run;
  return { exitCode, wallSeconds, cpuSeconds, peakMemoryBytes, gpuSeconds: wallSeconds * resources.gpus };
}
