import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { lockFile } from "../../../sqlite/lock.ts";

export interface TorFolder {
  readonly dir: string;
  /** Idempotent. */
  release(): Promise<void>;
}

/**
 * Claims the first data folder `base/name-N` that no other process uses, by a lock on a file in it. A tor keeps its
 * guards and the network's directory there, so that folders are reused, also after their process was killed.
 */
export async function claimTorFolder(base: string, name: string): Promise<TorFolder> {
  for (let n = 0; ; n++) {
    const dir = join(base, `${name}-${n}`);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const claim = lockFile(join(dir, "claim"));
    if (claim !== undefined) return { dir, release: async () => void (claim.isOpen && claim.close()) };
  }
}
