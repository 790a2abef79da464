import { existsSync, renameSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { sqliteCode } from "./faults.ts";

/** Renames a database and its WAL files in their folder; returns the new path. */
export function setAside(path: string): string {
  const base = `${path}.damaged-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}`;
  let to = base;
  for (let n = 2; existsSync(to); n++) to = `${base}-${n}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${to}${suffix}`);
  }
  return to;
}

export type Row = Record<string, SQLInputValue>;

/**
 * Copies what can still be read of `table` in a damaged database, from both ends towards the damage, into the table of
 * that name in `into`, without columns that it does not have. Returns the number of rows copied.
 */
export function salvage(
  damaged: string,
  into: DatabaseSync,
  table: string,
  isWhole: (row: Row) => boolean = () => true,
): number {
  const known = into.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
  const columns = new Set(known.map(({ name }) => String(name)));
  let copied = 0;
  const add = (row: Row) => {
    const names = Object.keys(row).filter((name) => columns.has(name));
    const sql = `INSERT OR IGNORE INTO ${table} (${names.join()}) VALUES (${names.map(() => "?").join()})`;
    if (isWhole(row)) copied += Number(into.prepare(sql).run(...names.map((name) => row[name]!)).changes);
  };
  const last = readRows(damaged, `SELECT rowid AS salvage_at, * FROM ${table} ORDER BY rowid`, add);
  if (last.whole) return copied;
  const rest = `SELECT rowid AS salvage_at, * FROM ${table} WHERE rowid > ${last.at} ORDER BY rowid DESC`;
  // A table without rowids fails at once, and is read from its start only.
  if (last.at === 0) readRows(damaged, `SELECT * FROM ${table}`, add);
  readRows(damaged, rest, add);
  return copied;
}

function readRows(path: string, sql: string, add: (row: Row) => void): { at: number; whole: boolean } {
  let at = 0;
  let db: DatabaseSync | undefined;
  try {
    // SQLite reads the rest of a truncated file only in this mode.
    db = new DatabaseSync(path, { defensive: false });
    db.exec("PRAGMA writable_schema = ON");
    for (const row of db.prepare(sql).iterate() as Iterable<Row>) {
      at = Number(row.salvage_at ?? 0);
      add(row);
    }
    return { at, whole: true };
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error;
    return { at, whole: false };
  } finally {
    db?.close();
  }
}
