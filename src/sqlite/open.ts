import { chmodSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { tooNew } from "../errors/newer.ts";
import { explainingDatabase } from "./explained.ts";
import { type DatabaseName, explainSqlite } from "./faults.ts";
import { transaction } from "./transaction.ts";

export interface DatabaseFile {
  readonly name: DatabaseName;
  /** `:memory:` keeps nothing. */
  readonly path: string;
  /**
   * SQL from each version to the next, the first one from an empty file. A released migration never changes. The first
   * one must also accept files from before versions existed: `IF NOT EXISTS`.
   */
  readonly migrations: readonly string[];
  /** Reads the whole file for damage first. */
  readonly check?: boolean | undefined;
}

/** Longest wait for another process's write, milliseconds. */
const BUSY_MS = 10_000;

/**
 * Opens (or creates, owner-only) a database and brings it to the newest version.
 * @throws JOURNAL_DAMAGED, INDEX_DAMAGED, HOME_UNWRITABLE, STATE_BUSY, DISK_FULL, DISK_FAILED, STATE_TOO_NEW
 */
export function openSqlite(file: DatabaseFile): DatabaseSync {
  const { name, path, check } = file;
  let db: DatabaseSync | undefined;
  try {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    db = new DatabaseSync(path, { timeout: BUSY_MS });
    if (path !== ":memory:") chmodSync(path, 0o600);
    if (version(db) > file.migrations.length) throw tooNew(name, path);
    // Lets deleted rows give their space back to the disk; must be set before the first page is written.
    if (version(db) === 0) db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216");
    if (check) refuseDamaged(db, path);
    migrate(db, file);
    return explainingDatabase(db, name, path);
  } catch (error) {
    if (db?.isOpen) db.close();
    throw explainSqlite(error, name, path);
  }
}

/** Throws as SQLite does for a damaged file. */
function refuseDamaged(db: DatabaseSync, path: string): void {
  const found = db.prepare("PRAGMA quick_check(1)").get()?.quick_check;
  if (found !== "ok") throw Object.assign(new RangeError(`${path}: ${String(found)}`), { errcode: 11 });
}

const version = (db: DatabaseSync) => Number(db.prepare("PRAGMA user_version").get()?.user_version);

function migrate(db: DatabaseSync, { migrations }: DatabaseFile): void {
  if (version(db) === migrations.length) return;
  transaction(db, () => {
    // Read the version again: another process may have migrated meanwhile.
    for (const step of migrations.slice(version(db))) db.exec(step);
    db.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}
