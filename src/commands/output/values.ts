import { z } from "zod";
import { jobStates, verdicts } from "../../protocol/job/state.ts";

/** The values that `--json` outputs are made of, as they are on the wire. */

/** Bigints are printed as decimal strings. */
export const amount = z
  .string()
  .regex(/^-?\d+$/)
  .describe("an amount in the token's smallest unit, a decimal string");
export const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .describe("an account, 0x and 40 hexadecimal digits");
export const hash = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .describe("32 bytes, 0x and 64 hexadecimal digits");
export const jobId = hash.describe("the job's whole id");
export const instant = z.number().int().describe("Unix seconds");
export const seconds = z.number().describe("seconds");
export const bytes = z.number().int().nonnegative().describe("bytes");
export const fixedPoint = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .describe("a decimal number, exact");
export const jobState = z.enum(jobStates).describe("the job's state (docs/protocol.md)");
export const verdict = z.enum(verdicts);
export const jobRole = z.enum(["requester", "provider", "validator"]);
export const folder = z.string().describe("an absolute or relative path");
