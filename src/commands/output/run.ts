import { z } from "zod";
import { submitOutput } from "./job.ts";
import { bytesValue, folderValue } from "./values.ts";

const by = z.enum(["provider", "validator"]).describe("whose run it would be");
const argument = z.enum(["0", "1"]);

const rehearsedOutput = z.strictObject({
  vote: z.literal("pass").describe("a run that would not pass is an error, LOCAL_RUN_FAILED"),
  metric: z.strictObject({ name: z.string(), value: z.number(), threshold: z.number() }),
  runs: z.array(
    z.strictObject({
      by,
      argument,
      checkpoint: z.number().int().optional().describe("number of the checkpoint that it went on from"),
      ended: z.string(),
      exitCode: z.number().int(),
      wallSeconds: z.number(),
      cpuSeconds: z.number(),
      peakMemoryBytes: z.number(),
      metrics: z.record(z.string(), z.number()),
    }),
  ),
  checkpoint: z
    .number()
    .int()
    .optional()
    .describe("number of the last checkpoint that the task left, where the job asks for them"),
  folder: folderValue,
  files: z.array(z.string()).describe("paths in the folder"),
  bytes: bytesValue,
});

const rehearsedLog = z.strictObject({
  by,
  argument,
  checkpoint: z.number().int().optional().describe("as in `runs`"),
  text: z.string().describe("the next piece of the log; one line of JSON a piece"),
});

/** `run`: what `submit --wait` prints; with --local the log, and what would come of the job. */
export const runOutput = z.union([submitOutput, rehearsedOutput, rehearsedLog]);

export const newOutput = z.strictObject({
  template: z.string(),
  folder: folderValue,
  files: z.array(z.string()),
});
