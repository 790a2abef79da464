import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { TaskRun } from "../../ports/sandbox.ts";

const count = z.number().nonnegative();
const recordSchema = z.strictObject({
  exitCode: z.number().int(),
  ended: z.enum(["exit", "deadline", "memory", "disk", "stopped", "output"]),
  log: z.string(),
  logTruncated: z.boolean(),
  wallSeconds: count,
  cpuSeconds: count,
  peakMemoryBytes: count,
});

/** The result that a finished run left in its folder, so that running it again finds it. */
export async function readRecord(home: string): Promise<TaskRun | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(home, "run.json"), "utf8")));
  } catch {
    return undefined; // absent, or cut short by a crash: the run is looked up in the engine instead
  }
}

export async function writeRecord(home: string, run: TaskRun): Promise<void> {
  const path = join(home, "run.json");
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(run));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
