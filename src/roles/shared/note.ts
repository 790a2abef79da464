import { isIchainError } from "../../errors/error.ts";
import type { JobJournal } from "../../ports/journal.ts";

/** A note that nothing depends on: it is lost where the journal cannot be written just now. */
export function noteIfPossible(journal: JobJournal | (() => JobJournal), text: string): void {
  try {
    (typeof journal === "function" ? journal() : journal).note(text);
  } catch {
    // Whoever needs the journal for more than a note will hear of it.
  }
}

const STORAGE: ReadonlySet<string> = new Set(["STATE_BUSY", "DISK_FULL", "DISK_FAILED"]);

/** True for what a database of ours met, full or held by another program: it says nothing of the job. */
export function isStorageTrouble(error: unknown): boolean {
  return isIchainError(error) && STORAGE.has(error.code);
}
