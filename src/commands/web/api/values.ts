import { z } from "zod";
import { liveEventSchema } from "../../../control/messages.ts";
import {
  addressValue,
  instantValue,
  jobIdValue,
  jobRoleValue,
  jobStateValue,
  verdictValue,
} from "../../output/values.ts";

/** The input of an address that takes nothing. */
export const nothing = z.strictObject({});

export const jobIdInput = z.strictObject({
  id: z
    .string()
    .regex(/^(0x)?[0-9a-f]{4,64}$/)
    .describe("of a job, or its first digits"),
});

/** What a command printed: what `--json` has, and the same for people. */
export function printedValue<Data extends z.ZodType>(data: Data) {
  return z.strictObject({ data: data.optional(), text: z.string().describe("for people") });
}

export const nowValue = instantValue.describe("the chain's time, Unix seconds");
export const moneyText = z.string().describe("an amount with its token, as people read it");

/** A row of the list of jobs. */
export const jobRowValue = z.strictObject({
  jobId: jobIdValue,
  state: jobStateValue,
  verdict: verdictValue,
  final: z.boolean(),
  role: jobRoleValue.optional().describe("of this account"),
  deadline: instantValue.optional(),
  price: moneyText,
  money: z.string().describe("what of this account's the job holds, or what became of it"),
  provider: addressValue,
  block: z.number().int().describe("in which it was posted"),
  name: z.string().optional().describe("that this home gave it"),
});

export const reportsValue = z.array(liveEventSchema).describe("what its roles reported, the newest last");
