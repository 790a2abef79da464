import { IchainError, isIchainError } from "../errors/error.ts";

/** SQLite's primary result codes (sqlite.org/rescode.html) that the operator can do something about. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** The databases of a home folder, and those of gossip peers. */
export type DatabaseName = "journal" | "index" | "peer store";

const damaged = {
  journal: "JOURNAL_DAMAGED",
  index: "INDEX_DAMAGED",
  "peer store": "GOSSIP_STORE_DAMAGED",
} as const;

/** The primary code of an error of SQLite's, explained or not; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  const { errcode } = ((isIchainError(error) ? error.cause : error) ?? {}) as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}

export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === BUSY || code === LOCKED;
}

/** True when the file is cut, overwritten, or no database. */
function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === CORRUPT || code === NOTADB;
}

/** SQLite's failure on the database at `path` as an `IchainError`; any other error unchanged. */
export function explainSqlite(error: unknown, name: DatabaseName, path: string): unknown {
  if (isDamage(error)) {
    return new IchainError(damaged[name], `The ${name} ${path} is damaged.`, {
      details: { path },
      cause: error,
    });
  }
  const code = sqliteCode(error);
  const { code: errno } = error as { code?: unknown };
  if (
    code === READONLY ||
    code === CANTOPEN ||
    // Node reports ENOENT for a folder that cannot be made on a read-only disk.
    ["EACCES", "EPERM", "EROFS", "ENOTDIR", "ENOENT"].includes(errno as string)
  ) {
    return new IchainError("HOME_UNWRITABLE", `The ${name} ${path} cannot be written.`, {
      details: { path },
      cause: error,
    });
  }
  if (isBusy(error)) {
    return new IchainError("STATE_BUSY", `Another program holds the ${name} ${path}.`, {
      details: { path },
      cause: error,
    });
  }
  if (code === FULL || code === IOERR || errno === "ENOSPC") {
    return new IchainError(
      code === IOERR ? "DISK_FAILED" : "DISK_FULL",
      `The ${name} ${path} cannot be written: its disk is full or fails.`,
      {
        details: { path },
        cause: error,
      },
    );
  }
  return error;
}
