import { rm } from "node:fs/promises";
import type { Abortable } from "../../../../async/abort.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Hex, JobId } from "../../../../protocol/ids.ts";
import { reportKey } from "../../../../protocol/job/exchange.ts";
import { MAX_REPORT_BYTES, REPORT_FILES } from "../../../../protocol/limits.ts";
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
  {
    jobId,
    collected,
    sessionKey,
    author,
  }: { jobId: JobId; collected: Collected; sessionKey: Hex; author: Hex },
  { signal }: Abortable,
): Promise<void> {
  const into = jobFolder(jobsDir, "requester", jobId).reportFiles;
  await rm(into, { recursive: true, force: true });
  try {
    await parcels.open(
      {
        blob: collected.report,
        sessionKey: reportKey(sessionKey, collected.locator.reportShare),
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
