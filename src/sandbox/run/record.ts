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
  /** Size of the outputs; undefined when there are none. */
  outputs: z.strictObject({ bytes: count, files: count }).optional(),
});
export type RunRecord = z.infer<typeof recordSchema>;

/** The record of a finished run in its folder; undefined when it has not finished. */
export async function readRecord(home: string): Promise<RunRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(home, "run.json"), "utf8")));
  } catch {
    return undefined; // absent, or incomplete after a crash: the run is looked up in the engine
  }
}

/**
 * Writes the record atomically, so that it survives a crash of this process. Without fsync, which would first write
 * gigabytes of outputs: after a power cut `outputsAreWhole` finds out whether they were written.
 */
export async function writeRecord(home: string, record: RunRecord): Promise<void> {
  const path = join(home, "run.json");
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
