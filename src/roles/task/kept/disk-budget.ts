import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Refusal, refuse } from "../../../protocol/policy/refusal.ts";
import { heldParcels } from "./held-parcels.ts";

/** A measurement that is younger serves a look, milliseconds: a home can have many files. */
const FRESH_MS = 60_000;

/** How much of the disk a home may hold (`disk.limit` in config.yaml). */
export interface DiskBudget {
  /** Bytes. */
  readonly limit: number;
  /** Bytes that the home holds, as it was measured within the last minute. */
  held(): Promise<number>;
  /**
   * Why a job that adds `bytes` at most is not taken on; undefined where there is room. Makes room first: inputs that are
   * kept for later jobs go, the longest unused first.
   */
  refuse(bytes: number): Promise<Refusal | undefined>;
}

export function openDiskBudget({
  home,
  jobsDir,
  limit,
}: {
  readonly home: string;
  readonly jobsDir: string;
  readonly limit: number;
}): DiskBudget {
  let last: { readonly at: number; readonly bytes: number } | undefined;
  const measure = async () => {
    last = { at: performance.now(), bytes: await bytesBelow(home) };
    return last.bytes;
  };
  return {
    limit,
    async held() {
      return last !== undefined && performance.now() - last.at < FRESH_MS ? last.bytes : measure();
    },
    async refuse(bytes) {
      const excess = (await measure()) + bytes - limit;
      if (excess <= 0) return undefined;
      await heldParcels(join(jobsDir, "kept")).free(excess);
      if ((await measure()) + bytes <= limit) return undefined;
      return refuse("DISK_BUDGET", "its home holds as much of the disk as its owner allows");
    },
  };
}

/**
 * Bytes of the disk that a folder takes, a file of several names once. What is mounted below it is left out: the image
 * behind a task's mounted disk is counted as the file that it is.
 */
export async function bytesBelow(folder: string): Promise<number> {
  const seen = new Set<number>();
  const top = await lstat(folder);
  let sum = 0;
  for (const stack = [folder]; stack.length > 0; ) {
    const path = stack.pop() as string;
    // What goes away meanwhile takes nothing.
    const info = await lstat(path).catch(() => undefined);
    if (info === undefined || info.dev !== top.dev || (info.nlink > 1 && seen.has(info.ino))) continue;
    if (info.nlink > 1) seen.add(info.ino);
    sum += info.blocks * 512;
    if (!info.isDirectory()) continue;
    const names = await readdir(path).catch(() => []);
    stack.push(...names.map((name) => join(path, name)));
  }
  return sum;
}
