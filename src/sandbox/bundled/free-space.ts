import { statfs } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Abortable } from "../../async/abort.ts";
import { engineDiskFull } from "../engines/faults.ts";

const POLL_MS = 500;

/**
 * A signal that aborts when the filesystem of `dir` has lost more than `maxBytes` of free space since the call, to any
 * writer. Engines limit the size of neither builds nor imports. Dispose it when the work is done.
 */
export function watchFreeSpace(dir: string, maxBytes: number): Abortable & Disposable {
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
  watch().catch(() => undefined); // a folder of another machine cannot be watched
  return {
    signal: over.signal,
    [Symbol.dispose](): void {
      done.abort();
    },
  };
}
