import { chmodSync, closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { isBusy } from "./faults.ts";

const WAIT_MS = 30_000;

/**
 * Locks the file until `close`, or undefined when it is locked already. Node has no file locks of its own;
 * those of an empty database exclude other processes and this one alike, and end with the process.
 */
export function lockFile(file: string, timeout = 0): DatabaseSync | undefined {
  // Ours alone from the first moment: another user that can open it can hold the lock.
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
  const db = new DatabaseSync(file, { timeout });
  try {
    // Nothing is ever written: without a journal file there is nothing that a killed owner could leave.
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE");
    return db;
  } catch (error) {
    db.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** The same, once whoever has it is done; without it after half a minute. */
export function waitForLock(file: string): Disposable {
  const claim = lockFile(file, WAIT_MS);
  return { [Symbol.dispose]: () => claim?.close() };
}
