import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { IchainError } from "../errors/error.ts";
import { isBusy } from "./faults.ts";

const WAIT_MS = 30_000;

/**
 * Locks the file until `close`; undefined when it is locked. Node has no file locks; the locks of an empty database
 * exclude other processes and this one, and end with the process.
 */
export function lockFile(file: string, timeout = 0): DatabaseSync | undefined {
  // Owner-only from the first moment: another user who can open it could hold the lock.
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
  const db = new DatabaseSync(file, { timeout });
  try {
    // Nothing is written, and without a journal file a killed owner leaves nothing behind.
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE");
    return db;
  } catch (error) {
    db.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** Waits half a minute for the lock, then goes on without it. */
export function waitForLock(file: string): Disposable {
  const claim = lockFile(file, WAIT_MS);
  return { [Symbol.dispose]: () => claim?.close() };
}

/**
 * Keeps a second daemon out of the home folder until disposed of, or until the process ends: two would accept the same
 * job, and each would release what the other runs. Commands that are no daemons do not take this lock.
 * @throws HOME_BUSY
 */
export function lockHome(home: string): Disposable {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const claim = lockFile(join(home, "daemon.lock"));
  if (claim !== undefined) return { [Symbol.dispose]: () => claim.close() };
  throw new IchainError("HOME_BUSY", `Another daemon works in ${home}.`, { details: { home } });
}
