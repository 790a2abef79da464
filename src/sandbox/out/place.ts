import { lstat, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RunRecord } from "../run/record.ts";

/** Where outputs are collected before the run is recorded: beside their place, on the same disk. */
export function partial(outputDir: string): string {
  return `${outputDir}.partial`;
}

/** Moves collected outputs to their place; false when those of a recorded run are not there in full. */
export async function placeOutputs(outputDir: string | undefined, { outputs }: RunRecord): Promise<boolean> {
  if (outputDir === undefined || outputs === undefined) return true;
  if (await exists(partial(outputDir))) {
    await rm(outputDir, { recursive: true, force: true });
    await rename(partial(outputDir), outputDir);
  }
  if (!(await exists(outputDir))) return false;
  const found = await footprint(outputDir);
  return found.bytes === outputs.bytes && found.files === outputs.files;
}

async function footprint(dir: string): Promise<{ bytes: number; files: number }> {
  let [bytes, files] = [0, 0];
  for (const entry of await readdir(dir, { recursive: true })) {
    const info = await lstat(join(dir, entry));
    files++;
    if (info.isFile()) bytes += info.size;
  }
  return { bytes, files };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
