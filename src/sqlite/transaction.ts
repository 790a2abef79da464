import type { DatabaseSync } from "node:sqlite";

/** Runs `work` in one transaction that other processes wait for; `work` must not be asynchronous. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    // On a full disk SQLite has rolled back already.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
