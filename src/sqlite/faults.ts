import { IchainError, isIchainError } from "../errors/error.ts";

/** SQLite's primary result codes (sqlite.org/rescode.html) that a person can do something about. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** One of the databases in the home folder. */
export type DatabaseName = "journal" | "index";

/** The primary code of an error of SQLite's, explained or not; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  const { errcode } = ((isIchainError(error) ? error.cause : error) ?? {}) as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}

export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === BUSY || code === LOCKED;
}

/** The file's content cannot be right: it was cut, overwritten, or is no database. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === CORRUPT || code === NOTADB;
}

const damageHints: Readonly<Record<DatabaseName, string>> = {
  journal:
    'Bring the file back from a backup, then run "ichain journal repair"; without a backup that command ' +
    "sets it aside and rebuilds what the file, the chain and the disk still tell.",
  index: "Run the command again: the index is set aside and read from the chain again.",
};

/** What a failure to open or use the database at `path` means to a person; any other error as it came. */
export function explainSqlite(error: unknown, name: DatabaseName, path: string): unknown {
  if (isDamage(error)) {
    return new IchainError(`The ${name} ${path} is damaged.`, {
      code: name === "journal" ? "JOURNAL_DAMAGED" : "INDEX_DAMAGED",
      class: name === "journal" ? "config" : "unavailable",
      hint: damageHints[name],
      details: { path },
      retryable: name === "index",
      cause: error,
    });
  }
  const code = sqliteCode(error);
  const { code: errno } = error as { code?: unknown };
  if (
    code === READONLY ||
    code === CANTOPEN ||
    // ENOENT is what Node makes of a folder that cannot be made on a read-only disk.
    ["EACCES", "EPERM", "EROFS", "ENOTDIR", "ENOENT"].includes(errno as string)
  ) {
    return new IchainError(`The ${name} ${path} cannot be written.`, {
      code: "HOME_UNWRITABLE",
      class: "config",
      hint: "Check who owns the home folder and its files, and that its disk is mounted for writing.",
      details: { path },
      cause: error,
    });
  }
  if (isBusy(error)) {
    return new IchainError(`Another program holds the ${name} ${path}.`, {
      code: "STATE_BUSY",
      class: "unavailable",
      hint: "Wait for it, or find it: a backup, or another ichain that hangs.",
      details: { path },
      retryable: true,
      cause: error,
    });
  }
  if (code === FULL || code === IOERR || errno === "ENOSPC") {
    return new IchainError(`The ${name} ${path} cannot be written: its disk is full or fails.`, {
      code: code === IOERR ? "DISK_FAILED" : "DISK_FULL",
      class: "unavailable",
      hint: "Free some space, or look at the disk's health.",
      details: { path },
      retryable: true,
      cause: error,
    });
  }
  return error;
}
