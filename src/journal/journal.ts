import type { DatabaseSync } from "node:sqlite";
import type { JobJournal, Journal, LogPiece, Role, Step, Undertaking } from "../ports/journal.ts";
import { openSqlite } from "../sqlite/open.ts";
import { type Keep, prune } from "./prune.ts";
import { journalMigrations, LOG_BYTES } from "./schema.ts";
import { decodeValue, encodeValue } from "./values.ts";

/** A daemon prunes after a finished job, at most once in this time. */
const PRUNE_MS = 3_600_000;
/** Newest notes kept of one undertaking: one that is retried for weeks has thousands. */
const NOTES = 500;

export interface JournalOptions {
  /** Without it nothing is removed. */
  readonly keep?: Keep | undefined;
  /** Reads the whole file for damage first. */
  readonly check?: boolean | undefined;
}

interface UndertakingRow {
  role: Role;
  key: string;
  opened_at: number;
  finished: "done" | "failed" | null;
  finished_at: number | null;
}

const COLUMNS = "role, key, opened_at, finished, finished_at";

/**
 * Opens (or creates, owner-only: it holds session keys) the journal at `path`.
 * @throws the codes of `openSqlite`
 */
export function openJournal(path: string, { keep, check }: JournalOptions = {}): Journal {
  const db = openSqlite({ name: "journal", path, migrations: journalMigrations, check });
  const begin = db.prepare("INSERT OR IGNORE INTO undertakings (role, key, opened_at) VALUES (?, ?, ?)");
  const list = db.prepare(`SELECT ${COLUMNS} FROM undertakings ORDER BY opened_at, key`);
  const listOpen = db.prepare(
    `SELECT ${COLUMNS} FROM undertakings WHERE finished IS NULL ORDER BY opened_at, key`,
  );
  const find = db.prepare(`SELECT ${COLUMNS} FROM undertakings WHERE role = ? AND key = ?`);
  let pruned = 0;
  const tidy = () => {
    if (keep === undefined || Date.now() - pruned < PRUNE_MS) return;
    pruned = Date.now();
    prune(db, keep);
  };
  tidy();
  return {
    open(role, key) {
      begin.run(role, key, Date.now());
      return jobJournal(db, role, key, tidy);
    },
    undertakings({ role, unfinished } = {}) {
      return ((unfinished ? listOpen : list).all() as unknown as UndertakingRow[])
        .filter((row) => role === undefined || row.role === role)
        .map(undertaking);
    },
    find(role, key) {
      const row = find.get(role, key) as UndertakingRow | undefined;
      return row && undertaking(row);
    },
    isEmpty: () => db.prepare("SELECT 1 FROM undertakings LIMIT 1").get() === undefined,
    close: () => db.close(),
  };
}

function undertaking(row: UndertakingRow): Undertaking {
  return {
    role: row.role,
    key: row.key,
    openedAt: row.opened_at,
    finished: row.finished ?? undefined,
    finishedAt: row.finished_at ?? undefined,
  };
}

function jobJournal(db: DatabaseSync, role: Role, key: string, tidy: () => void): JobJournal {
  const find = db.prepare("SELECT intent, outcome FROM steps WHERE role = ? AND key = ? AND name = ?");
  const listOutcomes = db.prepare(
    "SELECT outcome FROM steps WHERE role = ? AND key = ? AND outcome IS NOT NULL",
  );
  const listBegun = db.prepare(
    "SELECT name FROM steps WHERE role = ?1 AND key = ?2 AND substr(name, 1, length(?3)) = ?3 ORDER BY rowid",
  );
  const intend = db.prepare(
    "INSERT INTO steps (role, key, name, intent) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const conclude = db.prepare("UPDATE steps SET outcome = ? WHERE role = ? AND key = ? AND name = ?");
  const addNote = db.prepare("INSERT INTO notes (role, key, at, text) VALUES (?, ?, ?, ?)");
  const dropNotes = db.prepare(`
    DELETE FROM notes WHERE rowid IN (
      SELECT rowid FROM notes WHERE role = ? AND key = ? ORDER BY at DESC, rowid DESC LIMIT -1 OFFSET ${NOTES}
    )
  `);
  const listNotes = db.prepare("SELECT at, text FROM notes WHERE role = ? AND key = ? ORDER BY at, rowid");
  const addLog = db.prepare(`
    INSERT INTO output (role, key, seq, stage, upto, text)
    SELECT ?1, ?2, count(*), ?3, ?4, ?5 FROM output WHERE role = ?1 AND key = ?2
  `);
  const listLog = db.prepare(
    "SELECT seq, stage, upto, text FROM output WHERE role = ? AND key = ? AND seq >= ? ORDER BY seq LIMIT ?",
  );
  const end = db.prepare(
    `UPDATE undertakings SET finished = ?, finished_at = ?, log_bytes = ${LOG_BYTES} WHERE role = ? AND key = ?`,
  );
  const recorded = (name: string) =>
    find.get(role, key, name) as { intent: string; outcome: string | null } | undefined;

  return {
    role,
    key,
    async step<Intent, Outcome>(name: string, { prepare, act }: Step<Intent, Outcome>): Promise<Outcome> {
      const row = recorded(name);
      if (row && row.outcome !== null) return decodeValue(row.outcome) as Outcome;
      let text = row?.intent;
      if (text === undefined) {
        text = encodeValue(await prepare());
        const { changes } = intend.run(role, key, name, text);
        // Another process of this home recorded an intent meanwhile, such as `cancel` beside `submit`: the first one counts.
        if (changes === 0) text = recorded(name)?.intent ?? text;
      }
      // Always the decoded text, so that a first run and a resumed one see the same value.
      const outcome = encodeValue(await act(decodeValue(text) as Intent));
      conclude.run(outcome, role, key, name);
      return decodeValue(outcome) as Outcome;
    },
    outcome<Outcome>(name: string) {
      const text = recorded(name)?.outcome;
      return text == null ? undefined : (decodeValue(text) as Outcome);
    },
    outcomes: () => listOutcomes.all(role, key).map(({ outcome }) => decodeValue(outcome as string)),
    intent<Intent>(name: string) {
      const row = recorded(name);
      return row && (decodeValue(row.intent) as Intent);
    },
    begun: (prefix) => listBegun.all(role, key, prefix).map(({ name }) => name as string),
    note(text) {
      addNote.run(role, key, Date.now(), text);
      dropNotes.run(role, key);
    },
    notes: () => listNotes.all(role, key) as unknown as { at: number; text: string }[],
    log: ({ stage, upto, text }) => void addLog.run(role, key, stage, upto, text),
    logged: (from, most) => listLog.all(role, key, from, most) as unknown as LogPiece[],
    finish(result) {
      end.run(result, Date.now(), role, key);
      tidy();
    },
  };
}
