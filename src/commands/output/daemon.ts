import { z } from "zod";
import { acknowledgementSchema, daemonKinds, daemonStatusSchema } from "../../control/messages.ts";
import { federatedCauses } from "../../protocol/federated/market/events.ts";
import { causes } from "../../protocol/job/events.ts";
import { federatedJobOutput } from "./federated.ts";
import { stoppedOutput } from "./job.ts";
import {
  addressValue,
  amountValue,
  bytesValue,
  folderValue,
  instantValue,
  jobIdValue,
  jobStateValue,
  tokenValue,
} from "./values.ts";

export const statusOutput = z.strictObject({
  home: folderValue,
  daemons: z.array(daemonStatusSchema),
  silent: z.array(z.enum(daemonKinds)).describe("that a process has the home for, without answering"),
});

/** `drain` and `reload`, and `stop` without an id. */
export const toldOutput = z.strictObject({
  daemons: z.array(
    acknowledgementSchema.extend({
      state: z.enum([...acknowledgementSchema.shape.state.options, "ended"]),
    }),
  ),
});

export const stopOutput = z.union([stoppedOutput, toldOutput, federatedJobOutput]);

export const webOutput = z.strictObject({
  event: z.literal("ready"),
  url: z.string().describe("good once: it has a token, as its fragment"),
  account: addressValue,
});

export const supportBundleOutput = z.strictObject({
  file: folderValue,
  bytes: bytesValue,
  files: z.array(z.strictObject({ name: z.string(), about: z.string(), bytes: bytesValue })),
});

const count = z.number().int().nonnegative();
const wei = amountValue.describe("wei");

export const earningsOutput = z.strictObject({
  account: addressValue,
  jobs: z.array(
    z.strictObject({
      jobId: jobIdValue,
      role: z.enum(["provider", "validator"]),
      state: jobStateValue,
      cause: z.enum(causes).optional().describe("why it was refunded"),
      at: instantValue.describe(
        "Unix seconds: when this home ended it, or else by when it had to be accepted",
      ),
      token: tokenValue,
      paid: amountValue.describe("share of the price and fees, less what an appeal cost"),
      slashed: wei,
      gas: wei
        .optional()
        .describe("wei of the job's own transactions; absent where the journal has no record"),
    }),
  ),
  federated: z
    .array(
      z.strictObject({
        jobId: jobIdValue,
        role: z
          .enum(["requester", "provider", "validator", "panel"])
          .describe("panel: it judged disputes of the job"),
        cause: z.enum(federatedCauses).optional().describe("why it ended"),
        at: instantValue.describe("when this home ended it, or else when pay was due"),
        token: tokenValue,
        rounds: z.strictObject({
          closed: count,
          paid: count
            .optional()
            .describe("that paid this provider, or any; absent where the journal has no record"),
        }),
        paid: amountValue.describe("fees of panels among it; of the requester what others got, negative"),
        gas: wei.optional(),
      }),
    )
    .optional()
    .describe("federated jobs that are over, where there are any"),
  paid: z.array(z.strictObject({ token: tokenValue, amount: amountValue })).describe("for work"),
  slashed: wei,
  gas: wei.describe("wei of the jobs' own transactions"),
  otherGas: wei.describe("wei of offers, stake and withdrawals"),
});
