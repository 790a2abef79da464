import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { type Measurement, measurementCommitment } from "../../../protocol/job/measurement.ts";
import { MAX_REPORT_BYTES, REPORT_FILES } from "../../../protocol/limits.ts";
import type { ValidationLocator } from "../../../protocol/parcel/locator.ts";
import { measurementOf, parseReport } from "../../../protocol/task/report.ts";
import type { WorkerContext } from "../../context.ts";
import { awaitCapsule } from "../../shared/await-capsule.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { fetchBlob } from "../../task/fetch-blob.ts";

/** A provider that has not opened its report by then reveals its own measurement itself. */
const PATIENCE_SECONDS = 60;

/**
 * The provider's measurement, from the run report that it opens once all have committed; undefined when
 * it does not come in time, cannot be read, or is not what the provider committed to.
 */
export async function providerMeasurement(
  context: WorkerContext,
  journal: JobJournal,
  { job, locator }: { job: Job; locator: ValidationLocator },
  { signal }: Abortable,
): Promise<Measurement | undefined> {
  const now = await context.market.now({ signal });
  const spare = job.deadline === undefined ? PATIENCE_SECONDS : Math.max(0, (job.deadline - now) / 2);
  using patience = chainDeadline(now + Math.min(PATIENCE_SECONDS, spare), context.market, signal);
  try {
    const measurement = await readReport(context, journal, job, locator, { signal: patience.signal });
    const committed = job.submission?.measurementCommitment;
    return measurementCommitment(job.id, job.terms.provider, measurement) === committed
      ? measurement
      : undefined;
  } catch (error) {
    if (!signal.aborted && (patience.expired || isIchainError(error))) return undefined;
    throw error;
  }
}

async function readReport(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { result, reportRoot }: ValidationLocator,
  options: Abortable,
): Promise<Measurement> {
  const home = jobFolder(context.jobsDir, journal.role, job.id);
  const [blob, sessionKey] = await Promise.all([
    fetchBlob(
      context,
      "run report",
      { endpoint: result, root: reportRoot, path: home.report, maxBytes: MAX_REPORT_BYTES },
      options,
    ),
    awaitCapsule(context, result, reportRoot, options),
  ]);
  await rm(home.reportFiles, { recursive: true, force: true });
  await context.parcels.open(
    {
      blob,
      sessionKey,
      into: home.reportFiles,
      limits: { maxBytes: MAX_REPORT_BYTES, maxFiles: REPORT_FILES },
    },
    options,
  );
  return measurementOf(parseReport(await readFile(join(home.reportFiles, "report.json"), "utf8")));
}
