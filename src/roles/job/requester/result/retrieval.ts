import { IchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { type JobId, shortId } from "../../../../protocol/ids.ts";

/** Where a result was first written to, and when (milliseconds since 1970). */
export interface Retrieval {
  readonly folder: string;
  readonly at: number;
}

/** The journal's step. */
const GOT = "got";

/** Records that the result was written to `folder`: `tidy` may remove its encrypted copy later. */
export async function recordRetrieval(journal: JobJournal, folder: string): Promise<void> {
  await journal.step(GOT, {
    prepare: (): Retrieval => ({ folder, at: Date.now() }),
    act: (retrieval) => retrieval,
  });
}

export function retrievalOf(journal: JobJournal): Retrieval | undefined {
  return journal.outcome<Retrieval>(GOT);
}

/** For a result whose encrypted copy was removed: its provider no longer serves it either. */
export function resultRemoved(jobId: JobId, retrieval: Retrieval | undefined): IchainError {
  const where = retrieval === undefined ? "" : ` It was written to ${retrieval.folder} before.`;
  return new IchainError(
    "RESULT_REMOVED",
    `The encrypted result of job ${shortId(jobId)} is no longer here.${where}`,
    { details: { folder: retrieval?.folder } },
  );
}
