import { z } from "zod";
import {
  addressValue,
  bytesValue,
  fixedPointValue,
  folderValue,
  hashValue,
  jobIdValue,
  jobStateValue,
} from "../values.ts";

const count = z.number().int().nonnegative();
const without = z.array(count).describe("entries that are left out");
const block = count.describe("up to which the campaign was read");

export const trainOutput = z.strictObject({
  campaignId: hashValue,
  jobId: jobIdValue,
  state: jobStateValue,
  rows: count.describe("that the job trains on"),
  without,
  block,
});

const checks = z
  .array(
    z.strictObject({
      what: z.enum(["job", "score", "model", "rows"]),
      result: z.enum(["right", "wrong", "unknown"]),
      why: z.string().optional(),
    }),
  )
  .describe("what was published, compared with its job and with the rows");

/** Of `data get --model`. */
export const modelOutput = z.strictObject({
  campaignId: hashValue,
  folder: folderValue,
  version: count,
  jobId: jobIdValue,
  files: z.array(z.string()),
  bytes: bytesValue,
  checks,
});

export const versionsOutput = z.strictObject({
  campaignId: hashValue,
  versions: z.array(
    z.strictObject({
      version: count.optional().describe("from 1; absent where it is not published"),
      jobId: jobIdValue,
      previous: jobIdValue.optional().describe("job of the version before"),
      state: jobStateValue.optional().describe("absent where the chain has no such job"),
      provider: addressValue.optional(),
      score: fixedPointValue.optional().describe("on the hidden test set, larger is better"),
      rows: count,
      rowsDigest: hashValue.describe("keccak256 of the rows, each ended by a line feed"),
      without: without.optional(),
      block,
      checks: checks.optional(),
    }),
  ),
});
