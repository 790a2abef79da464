import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import type { AbortOptions } from "../../async/abort.ts";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Makes a folder of this process readable for the task's user, which owns none of it: read for files, read and search
 * for folders, execute for what its owner may execute. Keep the folder in a private one, so that other users of the
 * host cannot reach it; a bind mount does not check the folders above.
 */
export async function makeReadable(path: string, options: AbortOptions = {}): Promise<void> {
  options.signal?.throwIfAborted();
  const entry = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ELOOP" || error.code === "ENXIO") return undefined; // a link or a socket: unchanged
    throw error;
  });
  if (entry === undefined) return;
  try {
    const info = await entry.stat();
    const wanted = info.mode | (info.isDirectory() || info.mode & 0o100 ? 0o555 : 0o444);
    if (wanted !== info.mode) await entry.chmod(wanted & 0o7777);
    if (!info.isDirectory()) return;
    for (const name of await readdir(`/proc/self/fd/${entry.fd}`)) {
      await makeReadable(`/proc/self/fd/${entry.fd}/${name}`, options);
    }
  } finally {
    await entry.close();
  }
}
