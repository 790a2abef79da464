import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface Slot {
  readonly dir: string;
  /** Idempotent. */
  release(): Promise<void>;
}

/**
 * Claims a data folder `base/name-N` that nobody else uses. A tor keeps its guards and its view of the
 * network there, so folders are used again, also after the process that had them was killed.
 */
export async function claimSlot(base: string, name: string): Promise<Slot> {
  for (let n = 0; ; n++) {
    const dir = join(base, `${name}-${n}`);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const claim = lock(join(dir, "claim"));
    if (claim !== undefined) return { dir, release: async () => void (claim.isOpen && claim.close()) };
  }
}

const SQLITE_BUSY = 5;

/**
 * Locks the file until `close`, or undefined when it is locked already. Node has no file locks of its own;
 * those of an empty database exclude other processes and this one alike, and end with the process.
 */
function lock(file: string): DatabaseSync | undefined {
  const db = new DatabaseSync(file);
  try {
    // Nothing is ever written: without a journal file there is nothing that a killed owner could leave.
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE");
    return db;
  } catch (error) {
    db.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}
