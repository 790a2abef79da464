import type { JobJournal } from "../../ports/journal.ts";

/** A note that nothing depends on: it is lost where the journal cannot be written just now. */
export function noteIfPossible(journal: JobJournal | (() => JobJournal), text: string): void {
  try {
    (typeof journal === "function" ? journal() : journal).note(text);
  } catch {
    // Whoever needs the journal for more than a note will hear of it.
  }
}
