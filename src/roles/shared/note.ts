import { isIchainError } from "../../errors/error.ts";
import type { JobJournal } from "../../ports/journal.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { RoleContext } from "../context.ts";

/** Records `text` in the journal of a job and reports it to people, with the job's short id before it. */
export function noteAndReport(
  { reporter }: Pick<RoleContext, "reporter">,
  journal: JobJournal,
  text: string,
  kind: "info" | "warn" = "info",
): void {
  journal.note(text);
  reporter.emit({ kind, text: `Job ${shortId(journal.key as JobId)}: ${text}` });
}

/** Records a note that no later step reads; drops it where the journal cannot be opened or written now. */
export function noteIfPossible(journal: JobJournal | (() => JobJournal), text: string): void {
  try {
    (typeof journal === "function" ? journal() : journal).note(text);
  } catch {
    // The next step that depends on the journal reports its failure.
  }
}

/** What people are told of a failure after which the same work is tried again. */
export function retryText({ message }: Error, pauseSeconds: number): string {
  return `${message} Trying again in ${pauseSeconds} s.`;
}

const STORAGE: ReadonlySet<string> = new Set(["STATE_BUSY", "DISK_FULL", "DISK_FAILED"]);

/** True for a full disk or a database that another program holds: such a failure is not the job's fault. */
export function isStorageTrouble(error: unknown): boolean {
  return isIchainError(error) && STORAGE.has(error.code);
}
