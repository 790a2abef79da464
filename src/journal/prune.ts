import type { DatabaseSync } from "node:sqlite";
import { isBusy, sqliteCode } from "../sqlite/faults.ts";
import { transaction } from "../sqlite/transaction.ts";

/** How long, and how much of, finished undertakings are kept. */
export interface Keep {
  /** Days that the log of a finished job stays. */
  readonly logDays: number;
  /** Bytes that the logs of finished jobs take together, the oldest going first. */
  readonly logBytes: number;
  /** Days that a finished job is remembered at all. */
  readonly recordDays: number;
}

const DAY_MS = 86_400_000;
/** Undertakings a transaction: other writers wait for one batch at most. */
const BATCH = 16;
const REMOVED = "[this log was removed to save space: see keep in config.yaml]\n";
const SQLITE_FULL = 13;

interface Row {
  role: string;
  key: string;
  log_bytes: number;
  finished_at: number;
}

/**
 * Removes logs and records of undertakings that finished long ago; never of unfinished ones. Does nothing when the file
 * is in use or the disk is full: no job depends on it.
 */
export function prune(db: DatabaseSync, keep: Keep): void {
  try {
    removeOld(db, keep);
  } catch (error) {
    if (!isBusy(error) && sqliteCode(error) !== SQLITE_FULL) throw error;
  }
}

function removeOld(db: DatabaseSync, { logDays, logBytes, recordDays }: Keep): void {
  const now = Date.now();
  let held = 0;
  const logs = rows(
    db,
    "SELECT role, key, log_bytes, finished_at FROM undertakings WHERE finished IS NOT NULL AND log_bytes > 0 ORDER BY finished_at DESC",
  ).filter((row) => {
    held += row.log_bytes;
    return held > logBytes || row.finished_at < now - logDays * DAY_MS;
  });
  const dropLog = logDropper(db);
  inBatches(db, logs, dropLog);
  // Until a paid result is opened, the requester's record holds the only key to it.
  const records = rows(
    db,
    `SELECT role, key, log_bytes, finished_at FROM undertakings u
     WHERE finished IS NOT NULL AND finished_at < ?
       AND NOT (role = 'requester' AND finished = 'done' AND NOT EXISTS (
         SELECT 1 FROM steps s WHERE s.role = u.role AND s.key = u.key AND s.name = 'got'))`,
    now - recordDays * DAY_MS,
  );
  const drops = ["output", "notes", "steps", "undertakings"].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE role = ? AND key = ?`),
  );
  inBatches(db, records, ({ role, key }) => {
    for (const drop of drops) drop.run(role, key);
  });
  if (logs.length + records.length > 0) giveBack(db);
}

function logDropper(db: DatabaseSync): (row: Row) => void {
  // The last piece marks the end of the log: it stays, empty.
  const empty = db.prepare(`
    UPDATE output SET text = '' WHERE role = ?1 AND key = ?2
      AND seq = (SELECT max(seq) FROM output WHERE role = ?1 AND key = ?2)`);
  const drop = db.prepare(`
    DELETE FROM output WHERE role = ?1 AND key = ?2
      AND seq < (SELECT max(seq) FROM output WHERE role = ?1 AND key = ?2)`);
  const cut = db.prepare(`
    UPDATE steps SET outcome = json_set(outcome, '$.run.log', ?)
      WHERE role = ? AND key = ? AND json_type(outcome, '$.run.log') = 'text'`);
  const done = db.prepare("UPDATE undertakings SET log_bytes = 0 WHERE role = ? AND key = ?");
  return ({ role, key }) => {
    drop.run(role, key);
    empty.run(role, key);
    cut.run(REMOVED, role, key);
    done.run(role, key);
  };
}

function rows(db: DatabaseSync, sql: string, ...values: number[]): Row[] {
  return db.prepare(sql).all(...values) as unknown as Row[];
}

function inBatches(db: DatabaseSync, all: readonly Row[], each: (row: Row) => void): void {
  for (let at = 0; at < all.length; at += BATCH) {
    transaction(db, () => {
      for (const row of all.slice(at, at + BATCH)) each(row);
    });
  }
}

/** Gives freed pages back to the disk. */
function giveBack(db: DatabaseSync): void {
  // A journal from before pruning existed is rewritten once.
  if (db.prepare("PRAGMA auto_vacuum").get()?.auto_vacuum === 0) {
    db.exec("PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
  } else db.exec("PRAGMA incremental_vacuum");
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}
