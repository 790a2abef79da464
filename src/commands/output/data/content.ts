import { z } from "zod";
import { bytesValue } from "../values.ts";

const file = {
  event: z.literal("content"),
  cid: z.string().describe("version 1, base 32"),
  bytes: bytesValue.describe("of the file"),
  blocks: z.number().int().positive(),
};
const path = z.string().describe("absolute");

export const contentOutput = z.strictObject(file);
export const contentWrittenOutput = z.strictObject({ ...file, file: path });
export const contentFetchedOutput = z.strictObject({
  ...file,
  fetched: z.number().int().nonnegative().describe("blocks that were not in this home before"),
  file: path,
});

/** `data serve`, once it serves. */
export const contentServingOutput = z.strictObject({
  event: z.literal("serving"),
  gateway: z.string().describe("URL of the trustless gateway"),
  nodes: z.array(z.string()).describe("multiaddresses of the node, with its key of this run"),
});
