import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const count = z.number().nonnegative();
const recordSchema = z.strictObject({
  run: z.strictObject({
    exitCode: z.number().int(),
    ended: z.enum(["exit", "deadline", "memory", "disk", "stopped", "output"]),
    log: z.string(),
    logTruncated: z.boolean(),
    wallSeconds: count,
    cpuSeconds: count,
    peakMemoryBytes: count,
  }),
  /** What the outputs take; undefined when there are none. */
  outputs: z.strictObject({ bytes: count, files: count }).optional(),
});
export type RunRecord = z.infer<typeof recordSchema>;

/** What a finished run left in its folder, so that running it again finds it. */
export async function readRecord(home: string): Promise<RunRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(home, "run.json"), "utf8")));
  } catch {
    return undefined; // absent, or cut short by a crash: the run is looked up in the engine instead
  }
}

/**
 * Survives the end of this process. Not forced to the disk, which would force gigabytes of outputs first:
 * after a power cut `outputsAreWhole` sees whether they were written, and the task runs again.
 */
export async function writeRecord(home: string, record: RunRecord): Promise<void> {
  const path = join(home, "run.json");
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
