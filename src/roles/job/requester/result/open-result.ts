import type { Abortable } from "../../../../async/abort.ts";
import { impossible } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Hex } from "../../../../protocol/ids.ts";
import { blindKey, keyCommitment, reportKey } from "../../../../protocol/job/exchange.ts";
import type { Job } from "../../../../protocol/job/job.ts";
import { MAX_FILES } from "../../../../protocol/limits.ts";
import type { RoleContext } from "../../../context.ts";
import type { Collected } from "../collect.ts";
import type { Draft } from "../posting/draft.ts";
import { openReport } from "./open-report.ts";

/** The session key of the result: the key that `claim` published, unblinded; 32 bytes. */
export function resultKey({ id, blindedKey, submission }: Job, mask: Hex): Hex {
  if (!blindedKey || !submission) return impossible("a result is opened before its key was claimed");
  if (keyCommitment(id, blindedKey) !== submission.keyCommitment) {
    return impossible("the escrow paid for a key that does not match its commitment");
  }
  return blindKey(blindedKey, mask);
}

/** Unpacks a claimed result into `into`, which must not exist, and its run report beside it. */
export async function openResult(
  context: RoleContext,
  journal: JobJournal,
  { job, draft, collected, into }: { job: Job; draft: Draft; collected: Collected; into: string },
  { signal }: Abortable,
): Promise<{ files: readonly string[]; bytes: number; digest: Hex }> {
  const { resources } = draft.spec;
  const sessionKey = resultKey(job, draft.mask);
  const author = draft.provider.keys.fingerprint;
  const { manifest, digest } = await context.parcels.open(
    {
      blob: collected.result,
      sessionKey,
      into,
      author,
      limits: { maxBytes: resources.disk, maxFiles: MAX_FILES },
    },
    { signal },
  );
  const { locator } = collected;
  const key = locator.kind === "failure" ? locator.reportKey : reportKey(sessionKey, locator.reportShare);
  await openReport(context, journal, { jobId: job.id, collected, key, author }, { signal });
  return { files: manifest.files.map(({ path }) => path), bytes: manifest.totalBytes, digest };
}
