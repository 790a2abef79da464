import { chmodSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { JobJournal, Journal, LogPiece, Role, Step, Undertaking } from "../ports/journal.ts";
import { decodeValue, encodeValue } from "./values.ts";

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 10000;
  CREATE TABLE IF NOT EXISTS undertakings (
    role TEXT NOT NULL, key TEXT NOT NULL, opened_at INTEGER NOT NULL, finished TEXT,
    PRIMARY KEY (role, key)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS steps (
    role TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, intent TEXT NOT NULL, outcome TEXT,
    PRIMARY KEY (role, key, name)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS notes (
    role TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS output (
    role TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL,
    stage TEXT NOT NULL, upto INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (role, key, seq)
  ) STRICT;
`;

interface UndertakingRow {
  role: Role;
  key: string;
  opened_at: number;
  finished: "done" | "failed" | null;
}

/** Opens (or creates, owner-only: it holds session keys) the journal at `path`. */
export function openJournal(path: string): Journal {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(path);
  chmodSync(path, 0o600);
  db.exec(SCHEMA);

  const begin = db.prepare("INSERT OR IGNORE INTO undertakings (role, key, opened_at) VALUES (?, ?, ?)");
  const list = db.prepare("SELECT role, key, opened_at, finished FROM undertakings ORDER BY opened_at, key");
  return {
    open(role, key) {
      begin.run(role, key, Date.now());
      return jobJournal(db, role, key);
    },
    undertakings({ role, unfinished } = {}) {
      return (list.all() as unknown as UndertakingRow[])
        .filter((row) => (role === undefined || row.role === role) && !(unfinished && row.finished !== null))
        .map(
          (row): Undertaking => ({
            role: row.role,
            key: row.key,
            openedAt: row.opened_at,
            finished: row.finished ?? undefined,
          }),
        );
    },
    close: () => db.close(),
  };
}

function jobJournal(db: DatabaseSync, role: Role, key: string): JobJournal {
  const find = db.prepare("SELECT intent, outcome FROM steps WHERE role = ? AND key = ? AND name = ?");
  const intend = db.prepare("INSERT INTO steps (role, key, name, intent) VALUES (?, ?, ?, ?)");
  const conclude = db.prepare("UPDATE steps SET outcome = ? WHERE role = ? AND key = ? AND name = ?");
  const addNote = db.prepare("INSERT INTO notes (role, key, at, text) VALUES (?, ?, ?, ?)");
  const listNotes = db.prepare("SELECT at, text FROM notes WHERE role = ? AND key = ? ORDER BY at, rowid");
  const addLog = db.prepare(`
    INSERT INTO output (role, key, seq, stage, upto, text)
    SELECT ?1, ?2, count(*), ?3, ?4, ?5 FROM output WHERE role = ?1 AND key = ?2
  `);
  const listLog = db.prepare(
    "SELECT seq, stage, upto, text FROM output WHERE role = ? AND key = ? AND seq >= ? ORDER BY seq LIMIT ?",
  );
  const end = db.prepare("UPDATE undertakings SET finished = ? WHERE role = ? AND key = ?");
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
        intend.run(role, key, name, text);
      }
      // Always the decoded text, so that a first run and a resumed one see the very same value.
      const outcome = encodeValue(await act(decodeValue(text) as Intent));
      conclude.run(outcome, role, key, name);
      return decodeValue(outcome) as Outcome;
    },
    outcome<Outcome>(name: string) {
      const text = recorded(name)?.outcome;
      return text == null ? undefined : (decodeValue(text) as Outcome);
    },
    intent<Intent>(name: string) {
      const row = recorded(name);
      return row && (decodeValue(row.intent) as Intent);
    },
    note: (text) => void addNote.run(role, key, Date.now(), text),
    notes: () => listNotes.all(role, key) as unknown as { at: number; text: string }[],
    log: ({ stage, upto, text }) => void addLog.run(role, key, stage, upto, text),
    logged: (from, most) => listLog.all(role, key, from, most) as unknown as LogPiece[],
    finish: (result) => void end.run(result, role, key),
  };
}
