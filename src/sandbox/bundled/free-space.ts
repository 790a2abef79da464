import { statfs } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { engineDiskFull } from "../engines/faults.ts";

const POLL_MS = 500;

/**
 * Aborts its signal when the filesystem of `dir` has lost more than `maxBytes` since, whoever took them:
 * an engine bounds neither builds nor imports. Dispose it when the work is done.
 */
export function watchFreeSpace(dir: string, maxBytes: number) {
  const over = new AbortController();
  const done = new AbortController();
  const free = async () => {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  };
  const watch = async () => {
    const least = (await free()) - maxBytes;
    for (;;) {
      await pause(POLL_MS, undefined, { signal: done.signal });
      if ((await free()) < least) return over.abort(engineDiskFull(undefined));
    }
  };
  watch().catch(() => undefined); // a directory of another machine: nothing to look at
  return {
    signal: over.signal,
    [Symbol.dispose](): void {
      done.abort();
    },
  };
}
