import { chmod, lstat, mkdir, opendir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileCap } from "./disk.ts";
import { emptyFolder } from "./empty.ts";
import type { OutputSpace } from "./space.ts";

const POLL_MS = 1000;

/**
 * A plain folder behind a task's /out, for a task that may run on another machine, which cannot mount a disk of this
 * one. The filesystem does not enforce the cap: it is checked every second while the task runs and after it, so that
 * a task can exceed it by what it writes in a second.
 */
export function outputFolder(home: string): OutputSpace {
  const dir = join(home, "out");
  return {
    dir,
    pollMs: POLL_MS,
    async clear() {
      await remove(dir);
      await mkdir(dir, { recursive: true, mode: 0o700 });
    },
    async create() {
      await chmod(dir, 0o777); // `home` keeps the host's users out
    },
    async restore() {
      return stat(dir).then(
        (info) => info.isDirectory(),
        () => false,
      );
    },
    async seal() {}, // the task has ended, and no other user can write here
    isFull: (capBytes) => exceeds(dir, { bytes: capBytes, files: fileCap(capBytes) }),
    destroy: () => remove(dir),
  };
}

/** Uses `emptyFolder` because a task on a node that was lost may still write there. */
async function remove(dir: string): Promise<void> {
  await emptyFolder(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  await rm(dir, { recursive: true, force: true });
}

/** Whether a tree takes more than `left`. Stops as soon as it does, and follows no link. */
async function exceeds(dir: string, left: { bytes: number; files: number }): Promise<boolean> {
  const folders = [dir];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await opendir(folder).catch(() => undefined); // removed since it was listed
    for await (const entry of entries ?? []) {
      const path = join(folder, entry.name);
      const info = await lstat(path).catch(() => undefined);
      left.bytes -= (info?.blocks ?? 0) * 512;
      left.files -= 1;
      if (left.bytes < 0 || left.files < 0) return true;
      if (entry.isDirectory()) folders.push(path);
    }
  }
  return false;
}
