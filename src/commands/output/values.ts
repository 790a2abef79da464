import { z } from "zod";
import type { Address } from "../../protocol/ids.ts";
import { jobStates, verdicts } from "../../protocol/job/state.ts";

/** The values that `--json` outputs are made of, as they are on the wire. */

/** Bigints are printed as decimal strings; who parses an output has bigints again. */
export const amountValue = z
  .codec(z.string().regex(/^-?\d+$/), z.bigint(), { decode: BigInt, encode: String })
  .describe("an amount in the token's smallest unit, a decimal string");
export const addressValue = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .describe("an account, 0x and 40 hexadecimal digits") as z.ZodType<Address>;
export const tokenValue = z
  .strictObject({
    address: addressValue.describe("the zero address is the chain's own coin"),
    symbol: z.string(),
    decimals: z.number().int(),
  })
  .describe("what the amounts are in");
export const hashValue = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .describe("32 bytes, 0x and 64 hexadecimal digits");
export const jobIdValue = hashValue.describe("the job's whole id");
export const instantValue = z.number().int().describe("Unix seconds");
export const secondsValue = z.number().describe("seconds");
export const bytesValue = z.number().int().nonnegative().describe("bytes");
export const fixedPointValue = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .describe("a decimal number, exact");
export const jobStateValue = z.enum(jobStates).describe("the job's state (docs/protocol.md)");
export const verdictValue = z.enum(verdicts);
export const jobRoleValue = z.enum(["requester", "provider", "validator"]);
export const folderValue = z.string().describe("an absolute or relative path");

/** Windows of a job's terms; the one to accept is an instant there. */
export const windowsValue = z.strictObject({
  run: secondsValue,
  appoint: secondsValue,
  commit: secondsValue,
  reveal: secondsValue,
  claim: secondsValue,
  challenge: secondsValue,
  appeal: secondsValue,
});
