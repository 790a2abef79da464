import { IchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { type JobId, shortId } from "../../../../protocol/ids.ts";

/** Where a result was written when it was first asked for, and when (milliseconds since 1970). */
export interface Got {
  readonly folder: string;
  readonly at: number;
}

const GOT = "got";

/** Records that the result is where its owner wanted it: from now on its encrypted copy may go. */
export async function recordGot(journal: JobJournal, folder: string): Promise<void> {
  await journal.step(GOT, { prepare: (): Got => ({ folder, at: Date.now() }), act: (got) => got });
}

export function gotOf(journal: JobJournal): Got | undefined {
  return journal.outcome<Got>(GOT);
}

/** For a result whose encrypted copy is no longer here: it cannot be had twice. */
export function resultRemoved(jobId: JobId, got: Got | undefined): IchainError {
  const where = got === undefined ? "" : ` It was written to ${got.folder} before.`;
  return new IchainError(`The encrypted result of job ${shortId(jobId)} is no longer here.${where}`, {
    code: "RESULT_REMOVED",
    class: "refused",
    hint: "Its provider serves it no more: use the copy that was written. keep.resultDays in config.yaml says how long a result stays.",
    details: { folder: got?.folder },
  });
}
