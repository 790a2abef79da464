import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
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

/** `worker`: for providers and validators; `server`: for requesters; `peer`: of gossip. A home may run one of each. */
export type Daemon = "worker" | "server" | "peer";

const locks: Readonly<Record<Daemon, string>> = {
  worker: "daemon.lock",
  server: "serve.lock",
  peer: "gossip.lock",
};

/**
 * Keeps a second daemon of the kind out of the home folder until disposed of, or until the process ends: two would
 * accept the same job, and each would release what the other runs. Commands that are no daemons do not take this lock.
 * @throws HOME_BUSY
 */
export function lockHome(home: string, daemon: Daemon = "worker"): Disposable {
  const claim = lockIn(home, locks[daemon]);
  if (claim) return claim;
  throw new IchainError("HOME_BUSY", `Another daemon works in ${home}.`, { details: { home } });
}

/** True while such a daemon works in the home folder. */
export function isAtWork(home: string, daemon: Daemon): boolean {
  using claim = lockIn(home, locks[daemon]);
  return claim === undefined;
}

/**
 * Keeps other processes from acting for one job's requester, by a lock in the job's folder.
 * @throws JOB_BUSY
 */
export function lockJob(folder: string, jobId: string): Disposable {
  const claim = lockIn(folder, "busy.lock");
  if (claim) return claim;
  throw new IchainError("JOB_BUSY", "Another process of this home acts for this job.", {
    details: { jobId },
  });
}

/** Between two looks at a lock that another process holds for a moment. */
const LOOK_MS = 20;

/**
 * Waits until no other job of this home is between the check of its budgets and the record that it counts; the holder
 * waits for no other party.
 * @throws the signal's reason
 */
export async function lockBudgets(
  home: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<Disposable> {
  for (;;) {
    const claim = lockIn(home, "budgets.lock");
    if (claim) return claim;
    await delay(LOOK_MS, undefined, { signal });
  }
}

function lockIn(folder: string, name: string): Disposable | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const claim = lockFile(join(folder, name));
  return claim && { [Symbol.dispose]: () => claim.close() };
}
