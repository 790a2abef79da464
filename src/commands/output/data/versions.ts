import { z } from "zod";
import { addressValue, fixedPointValue, hashValue, jobIdValue, jobStateValue } from "../values.ts";

const count = z.number().int().nonnegative();
const block = count.describe("up to which the campaign was read");

export const trainOutput = z.strictObject({
  campaignId: hashValue,
  jobId: jobIdValue,
  state: jobStateValue,
  rows: count.describe("that the job trains on"),
  block,
});

export const versionsOutput = z.strictObject({
  campaignId: hashValue,
  versions: z.array(
    z.strictObject({
      version: count.optional().describe("from 1; of settled jobs only"),
      jobId: jobIdValue,
      previous: jobIdValue.optional().describe("job of the version before"),
      state: jobStateValue,
      provider: addressValue,
      score: fixedPointValue.optional().describe("on the hidden test set, larger is better"),
      rows: count,
      rowsDigest: hashValue.describe("keccak256 of the rows, each ended by a line feed"),
      entries: z.array(count).describe("that the rows are from"),
      block,
    }),
  ),
});
