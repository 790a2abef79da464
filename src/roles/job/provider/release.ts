import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { RoleContext } from "../../context.ts";
import { noteIfPossible } from "../../shared/note.ts";
import { transact } from "../../shared/transact.ts";

/** Gives a job back, which costs nothing, while a missed deadline costs the stake. A job that moved on is left as it is. */
export async function release(
  { market }: Pick<RoleContext, "market">,
  journal: JobJournal,
  job: Job,
  said: { readonly reason: string; readonly sealedLog?: Hex | undefined },
  options: Abortable,
): Promise<void> {
  try {
    await transact(market, journal, { kind: "release", job, ...said }, options);
  } catch (error) {
    if (!isIchainError(error) || error.class !== "refused") throw error;
    noteIfPossible(journal, `it could not be given back: ${error.message}`);
  }
}
