import { isIchainError } from "../errors/error.ts";
import type { Journal } from "../ports/journal.ts";
import { openSqlite } from "../sqlite/open.ts";
import { type Row, salvage, setAside } from "../sqlite/salvage.ts";
import { openJournal } from "./journal.ts";
import { journalMigrations } from "./schema.ts";

export interface Rebuilt {
  readonly journal: Journal;
  /** The new path of the damaged file; undefined when it was not damaged. */
  readonly setAsideAs: string | undefined;
}

/** Opens the journal at `path`; a damaged one is set aside, and what can still be read of it is copied. */
export function rebuildJournal(path: string): Rebuilt {
  try {
    return { journal: openJournal(path, { check: true }), setAsideAs: undefined };
  } catch (error) {
    if (!isIchainError(error, "JOURNAL_DAMAGED")) throw error;
  }
  const setAsideAs = setAside(path);
  const db = openSqlite({ name: "journal", path, migrations: journalMigrations });
  try {
    salvage(setAsideAs, db, "undertakings");
    salvage(setAsideAs, db, "steps", isParsable);
    // Task output is not copied. An undertaking whose `finished` was lost is resumed, and ends again.
    db.exec(`INSERT OR IGNORE INTO undertakings (role, key, opened_at)
      SELECT DISTINCT role, key, CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM steps`);
  } finally {
    db.close();
  }
  return { journal: openJournal(path), setAsideAs };
}

function isParsable({ intent, outcome }: Row): boolean {
  try {
    JSON.parse(String(intent));
    if (outcome !== null) JSON.parse(String(outcome));
    return true;
  } catch {
    return false;
  }
}
