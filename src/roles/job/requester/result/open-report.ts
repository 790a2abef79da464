import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { type Hex, type JobId, shortId } from "../../../../protocol/ids.ts";
import { MAX_REPORT_BYTES, REPORT_FILES } from "../../../../protocol/limits.ts";
import { failureText } from "../../../../protocol/task/failure.ts";
import { parseReport, type Report } from "../../../../protocol/task/report.ts";
import type { RoleContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import type { Collected } from "../collect.ts";

/**
 * Opens the provider's run report with its log. The result does not depend on it: a report that cannot be opened is
 * noted, and there is no log.
 */
export async function openReport(
  { parcels, jobsDir }: RoleContext,
  journal: JobJournal,
  { jobId, collected, key, author }: { jobId: JobId; collected: Collected; key: Hex; author: Hex },
  { signal }: Abortable,
): Promise<void> {
  const into = jobFolder(jobsDir, "requester", jobId).reportFiles;
  await rm(into, { recursive: true, force: true });
  try {
    await parcels.open(
      {
        blob: collected.report,
        sessionKey: key,
        into,
        author,
        limits: { maxBytes: MAX_REPORT_BYTES, maxFiles: REPORT_FILES },
      },
      { signal },
    );
  } catch (error) {
    if (!isIchainError(error) || error.class !== "untrusted") throw error;
    journal.note(`the run report cannot be opened: ${error.message}`);
  }
}

/** Opens the report of a run that failed, which is there before any verdict, and tells people; safe to repeat. */
export async function openFailure(
  context: RoleContext,
  journal: JobJournal,
  { jobId, collected, author }: { jobId: JobId; collected: Collected; author: Hex },
  options: Abortable,
): Promise<void> {
  const { locator } = collected;
  if (locator.kind !== "failure") return;
  await openReport(context, journal, { jobId, collected, key: locator.reportKey, author }, options);
  const failure = (await openedReport(context.jobsDir, jobId))?.failure;
  if (failure === undefined) return;
  const text = `The provider says that the run of job ${shortId(jobId)} failed: ${failureText(failure)}`;
  context.reporter.emit({ kind: "warn", text });
}

/** The run report that was opened here; undefined where there is none, or it is malformed. */
export async function openedReport(jobsDir: string, jobId: JobId): Promise<Report | undefined> {
  const path = join(jobFolder(jobsDir, "requester", jobId).reportFiles, "report.json");
  const text = await readFile(path, "utf8").catch(() => undefined);
  try {
    return text === undefined ? undefined : parseReport(text);
  } catch (error) {
    if (isIchainError(error, "REPORT_MALFORMED")) return undefined;
    throw error;
  }
}
