import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import { type Job, seatOf } from "../../../protocol/job/job.ts";
import { type Measurement, measurementCommitment } from "../../../protocol/job/measurement.ts";
import { isFinal } from "../../../protocol/job/state.ts";
import { MAX_REPORT_BYTES, REPORT_FILES } from "../../../protocol/limits.ts";
import type { ValidationLocator } from "../../../protocol/parcel/locator.ts";
import { measurementOf, parseReport } from "../../../protocol/task/report.ts";
import type { WorkerContext } from "../../context.ts";
import { awaitCapsule } from "../../shared/await-capsule.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { transact } from "../../shared/transact.ts";
import { withdrawOwed } from "../../shared/withdraw.ts";
import { fetchBlob } from "../../task/fetch-blob.ts";
import type { Committed } from "./commit.ts";

/** After this time without the provider's report, the provider has to reveal its measurement itself. */
const REPORT_SECONDS = 60;

/**
 * Reveals once all have committed or left, then waits for the end of the job and withdraws the fee. After an
 * abstention (`measured` is its reason) it resolves at once.
 */
export async function reveal(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  measured: Committed | string,
  options: Abortable,
): Promise<Job> {
  let last = job;
  for await (const now of context.market.follow(job.id, options)) {
    last = now;
    const open = now.state === "Validating" && !now.committing;
    if (open && typeof measured !== "string" && seatOf(now, context.account)?.measurement === undefined) {
      const { measurement: own, locator } = measured;
      const providers =
        now.providerMeasurement ??
        (locator && (await providerMeasurement(context, journal, { job: now, locator }, options)));
      await transact(context.market, journal, { kind: "reveal", job: now, own, providers }, options);
    }
    if (isFinal(now.state) || typeof measured === "string") break;
  }
  if (isFinal(last.state)) await withdrawOwed(context, journal, last, options);
  return last;
}

/**
 * The provider's measurement, from the run report that it opens once all have committed. Undefined when the report
 * does not come in time, cannot be read, or differs from what the provider committed to.
 */
async function providerMeasurement(
  context: WorkerContext,
  journal: JobJournal,
  { job, locator }: { job: Job; locator: ValidationLocator },
  { signal }: Abortable,
): Promise<Measurement | undefined> {
  const now = await context.market.now({ signal });
  const spare = job.deadline === undefined ? REPORT_SECONDS : Math.max(0, (job.deadline - now) / 2);
  using clock = chainDeadline(now + Math.min(REPORT_SECONDS, spare), context.market, signal);
  try {
    const measurement = await readReport(context, journal, job, locator, clock);
    const committed = job.submission?.measurementCommitment;
    return measurementCommitment(job.id, job.terms.provider, measurement) === committed
      ? measurement
      : undefined;
  } catch (error) {
    if (!signal.aborted && (clock.expired || isIchainError(error))) return undefined;
    throw error;
  }
}

async function readReport(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { result: endpoint, reportRoot: root }: ValidationLocator,
  options: Abortable,
): Promise<Measurement> {
  const home = jobFolder(context.jobsDir, journal.role, job.id);
  const request = { endpoint, root, path: home.report, maxBytes: MAX_REPORT_BYTES };
  const [blob, sessionKey] = await Promise.all([
    fetchBlob(context, "run report", request, options),
    awaitCapsule(context, endpoint, root, options),
  ]);
  await rm(home.reportFiles, { recursive: true, force: true });
  const limits = { maxBytes: MAX_REPORT_BYTES, maxFiles: REPORT_FILES };
  await context.parcels.open({ blob, sessionKey, into: home.reportFiles, limits }, options);
  return measurementOf(parseReport(await readFile(join(home.reportFiles, "report.json"), "utf8")));
}
