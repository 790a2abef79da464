import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A socket's path must fit `sun_path`: 108 bytes; our socket names take at most 32 of them. */
const MAX_FOLDER_BYTES = 75;

export interface ShortFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** `dir` itself where unix sockets fit into it, else a fresh private folder with a short path. */
export async function shortFolder(dir: string): Promise<ShortFolder> {
  if (Buffer.byteLength(dir) <= MAX_FOLDER_BYTES) return { path: dir, remove: async () => {} };
  const path = await mkdtemp(join(tmpdir(), "ichain-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
