import { rm } from "node:fs/promises";
import { isIchainError } from "../../errors.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { RoleContext, Waits } from "../context.ts";
import { awaitCapsule } from "../shared/await-capsule.ts";
import { jobFolder } from "../shared/job-folder.ts";
import type { Collected } from "./collect.ts";
import { draftOf } from "./draft.ts";

const PATIENCE_MS = 20_000;
const REPORT_BYTES = 16 << 20;

/**
 * Opens the provider's run report, log included, once the provider has opened it to us. The job does not
 * depend on it: a provider that keeps it shut only leaves us without a log.
 */
export async function openRunReport(
  context: RoleContext,
  journal: JobJournal,
  jobId: JobId,
  { signal }: Waits,
): Promise<void> {
  const collected = journal.outcome<Collected>("collect");
  if (!collected || journal.outcome("report") !== undefined) return;
  const home = jobFolder(context.jobsDir, "requester", jobId);
  const waits = { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) };
  try {
    await journal.step("report", {
      prepare: () => ({ blob: collected.report }),
      act: async ({ blob }) => {
        const sessionKey = await awaitCapsule(context, collected.locator.result, blob.root, waits);
        await rm(home.reportFiles, { recursive: true, force: true });
        const limits = { maxBytes: REPORT_BYTES, maxFiles: 2 };
        const author = draftOf(journal)?.provider.keys.fingerprint;
        await context.parcels.open({ blob, sessionKey, into: home.reportFiles, author, limits }, waits);
        return home.reportFiles;
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    const why = isIchainError(error) ? error.message : "It did not come in time.";
    journal.note(`the run report is not open to us: ${why}`);
  }
}
