import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The path of a unix socket must fit `sun_path` of 108 bytes; our socket names take at most 32 of them. */
const MAX_FOLDER_BYTES = 75;

/** Needs no quotes in a torrc or on the control port, where tor's rules for quoting differ by option. */
const PLAIN = /^[\w./-]+$/;

export interface ShortFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** `dir` itself where tor can name unix sockets in it, else a new private folder with a short, plain path. */
export async function shortFolder(dir: string): Promise<ShortFolder> {
  if (isPlain(dir)) return { path: dir, remove: async () => {} };
  const path = await mkdtemp(join(isPlain(tmpdir()) ? tmpdir() : "/tmp", "ichain-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

function isPlain(folder: string): boolean {
  return PLAIN.test(folder) && Buffer.byteLength(folder) <= MAX_FOLDER_BYTES;
}
