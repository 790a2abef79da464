import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import type { AbortOptions } from "../../async/abort.ts";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Makes a folder of ours readable for the task's user, who owns none of it: read for files, read and
 * search for folders, and to be run what we may run. Keep the folder inside a private one; a bind mount does not look at what is above.
 */
export async function makeReadable(path: string, options: AbortOptions = {}): Promise<void> {
  options.signal?.throwIfAborted();
  const entry = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ELOOP" || error.code === "ENXIO") return undefined; // a link or a socket: left alone
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
