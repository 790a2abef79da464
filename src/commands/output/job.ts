import { z } from "zod";
import { modes } from "../../protocol/job/state.ts";
import { tiers } from "../../protocol/offer.ts";
import { failureKinds } from "../../protocol/task/failure.ts";
import { pickleSigns } from "../../protocol/task/pickle.ts";
import { type Dtype, dtypeBits } from "../../protocol/tensors/dtype.ts";
import { federatedJobOutput, federatedOutputs } from "./federated.ts";
import { dryRunOutput } from "./market.ts";
import {
  addressValue,
  amountValue,
  bytesValue,
  fixedPointValue,
  folderValue,
  hashValue,
  instantValue,
  jobIdValue,
  jobRoleValue,
  jobStateValue,
  tokenValue,
  verdictValue,
  windowsValue,
} from "./values.ts";

const measurement = z.strictObject({
  digest: hashValue.describe("of the result's files"),
  score: fixedPointValue.describe("the metric, turned so that larger is better"),
  failed: z.literal(true).optional().describe("where the run failed; digest and score mean nothing then"),
});

const shareValue = z.number().int().min(0).max(10_000).describe("in 1/10,000");

const terms = z.strictObject({
  requester: addressValue,
  provider: addressValue,
  token: addressValue.describe("the zero address is the chain's own coin"),
  price: amountValue,
  validatorFee: amountValue.describe("for each validator who reveals"),
  providerStake: amountValue.describe("wei"),
  validatorStake: amountValue.describe("wei"),
  validators: z.number().int().describe("0 is optimistic mode"),
  mode: z.enum(modes),
  tolerance: amountValue.describe("fixed point, 1e-9"),
  threshold: amountValue.describe("least score that passes; fixed point, 1e-9"),
  effort: shareValue.describe(
    "of the price, for work short of the threshold and a failure that is confirmed",
  ),
  stop: z.strictObject({ floor: shareValue, cap: shareValue }).describe("of the price, for a stopped run"),
  acceptBy: instantValue,
  windows: windowsValue,
  specHash: hashValue,
  bundleRoot: hashValue,
  secretHash: hashValue,
});

const linked = {
  previousJob: jobIdValue.optional().describe("of this home, in whose place this one was posted"),
  nextJob: jobIdValue.optional().describe("of this home, which was posted in the place of this one"),
};

export const jobOutput = z.strictObject({
  jobId: jobIdValue,
  state: jobStateValue,
  final: z.boolean(),
  verdict: verdictValue,
  role: jobRoleValue.optional().describe("of this account; absent for an onlooker"),
  ...linked,
  deadline: instantValue.optional().describe("of whose turn it is"),
  reason: z
    .string()
    .optional()
    .describe("given by the provider at release, or by a validator; a stranger's words"),
  paid: amountValue.optional().describe("of the price, to the provider of a stopped job"),
  token: tokenValue,
  terms,
  resultRoot: hashValue.optional(),
  providerMeasurement: measurement.optional(),
  validations: z.array(
    z.strictObject({
      validator: addressValue,
      committed: z.boolean(),
      measurement: measurement.optional(),
      abstained: z.boolean(),
    }),
  ),
});

export const jobsOutput = z.strictObject({
  jobs: z.array(jobOutput).describe("newest first"),
  federated: z
    .array(federatedJobOutput)
    .optional()
    .describe("federated jobs, newest first; absent without any"),
});

export const postedOutput = z.strictObject({ jobId: jobIdValue, state: jobStateValue });

const file = z.string().describe("a path in the folder");

const contents = {
  tensorFiles: z
    .array(
      z.strictObject({
        file,
        count: z.number().int().describe("of its tensors"),
        elements: z.number().int().describe("of all tensors together"),
        dataBytes: bytesValue,
        tensors: z
          .array(
            z.strictObject({
              name: z.string(),
              dtype: z.enum(Object.keys(dtypeBits) as Dtype[]),
              shape: z.array(z.number().int()),
            }),
          )
          .describe("the first 100, in the order of their data"),
      }),
    )
    .describe("what the headers of .safetensors files say; a stranger's words"),
  pickles: z
    .array(
      z.strictObject({
        file,
        sign: z.enum(pickleSigns).describe("how it is known for one: its name, or what is in it"),
      }),
    )
    .describe("files that run code when they are loaded"),
  damaged: z
    .array(z.strictObject({ file, code: z.string(), message: z.string(), hint: z.string() }))
    .describe(
      "files that could not be read, or whose header is not what it should be; they are in the folder",
    ),
};

export const openedOutput = z.strictObject({
  jobId: jobIdValue,
  state: jobStateValue,
  verdict: verdictValue,
  folder: folderValue,
  files: z.array(z.string()).describe("paths in the folder"),
  bytes: bytesValue,
  ...contents,
});

/** `submit` of a job.yaml with a matrix. */
const matrixOutput = z.strictObject({
  locked: amountValue.describe("by all jobs together, by the offers before the first was posted"),
  token: tokenValue,
  cells: z
    .array(
      z.strictObject({
        cell: z.string().describe("values of its variables: `lr=0.1 seed=2`"),
        jobId: jobIdValue.nullable(),
        state: jobStateValue.nullable(),
        metric: z.number().nullable().describe("as its first validator measured it"),
        folder: folderValue.nullable().describe("of its opened result, with --wait"),
        error: z
          .strictObject({ code: z.string(), message: z.string() })
          .nullable()
          .describe("why it came to nothing"),
      }),
    )
    .describe("in the order of the file"),
});

/** `submit --explain`. */
const explainedOutput = z.strictObject({
  token: tokenValue,
  providers: z
    .array(
      z.strictObject({
        account: addressValue,
        standing: z
          .number()
          .nullable()
          .describe("what speaks for it less what speaks against it, over both and the price: -1 to 1"),
        paid: z
          .strictObject({
            for: amountValue.describe(
              "wei: an eighth of the gas of others' jobs, and the price of this account's own",
            ),
            against: amountValue.describe("wei: price of its jobs that failed or were rated 1, half at 2"),
            requesters: z.number().int().describe("of its settled jobs that were read"),
          })
          .nullable(),
        weighed: amountValue.nullable().describe("price x (3 - standing) / 2: the lowest is asked first"),
        tier: z.enum(tiers),
        ratings: z.number().int(),
        mean: z.number().nullable(),
        jobs: z
          .strictObject({
            settled: z.number().int(),
            released: z.number().int().describe("given back"),
            late: z.number().int(),
            rejected: z.number().int(),
            hid: z.number().int(),
          })
          .describe("how its jobs ended"),
        price: amountValue.nullable(),
        why: z.string().nullable().describe("why it cannot have the job"),
      }),
    )
    .describe("those that can have it first, the best of them first of all"),
});

/** `submit`: with --explain the ranking, with --wait the opened result, with --dry-run the job that would be posted; of a matrix all its jobs. */
export const submitOutput = z.union([
  postedOutput,
  openedOutput,
  dryRunOutput,
  matrixOutput,
  explainedOutput,
  ...federatedOutputs.submit,
]);

export const resumeOutput = z.union([
  z.strictObject({
    jobs: z.array(z.strictObject({ jobId: jobIdValue, state: jobStateValue, verdict: verdictValue })),
    campaigns: z
      .array(z.strictObject({ campaignId: hashValue, act: z.string() }))
      .optional()
      .describe("acts in data campaigns that were brought to their end"),
  }),
  ...federatedOutputs.resume,
]);

/** `get`: with --parcel the result stays encrypted, and nothing is said of its contents. */
const gotOutput = openedOutput
  .omit({ state: true, verdict: true })
  .partial({ tensorFiles: true, pickles: true, damaged: true });
export const getOutput = z.union([
  gotOutput,
  z.strictObject({ results: z.array(gotOutput) }),
  ...federatedOutputs.get,
]);

export const stoppedOutput = z.strictObject({
  jobId: jobIdValue,
  state: jobStateValue,
  paid: amountValue.describe("of the price, to the provider"),
  token: tokenValue,
});

export const bondOutput = z.strictObject({
  jobId: jobIdValue,
  state: jobStateValue,
  bond: amountValue,
  token: tokenValue,
});

export const ratedOutput = z.strictObject({
  jobId: jobIdValue,
  subject: addressValue,
  score: z.number().int(),
});

export const logOutput = z.strictObject({
  jobId: jobIdValue,
  what: z.string().optional().describe("of a federated job: what the run was for"),
  text: z.string().describe("the next piece of the log; one line of JSON a piece"),
});

export const whyOutput = z.strictObject({
  jobId: jobIdValue,
  state: jobStateValue,
  deadline: instantValue.optional(),
  reason: z.string().optional(),
  notice: z
    .strictObject({
      kind: z.enum(["declined", "failed"]),
      code: z.string(),
      reason: z.string(),
      at: instantValue,
      run: z
        .strictObject({
          ended: z.string().describe("exit, deadline, memory, disk, output or stopped"),
          exitCode: z.number().int(),
          wallSeconds: z.number(),
          cpuSeconds: z.number(),
          peakMemoryBytes: z.number(),
        })
        .optional()
        .describe("of the last run of the task"),
    })
    .optional()
    .describe("what the provider told this requester, signed; a stranger's words"),
  failure: z
    .strictObject({
      run: z.enum(["0", "1"]).describe("the command's argument in the run that failed"),
      kind: z.enum(failureKinds),
      exitCode: z.number().int(),
      wallSeconds: z.number(),
      cpuSeconds: z.number(),
      peakMemoryBytes: z.number(),
    })
    .optional()
    .describe("how the run failed, by the report that its provider submitted in place of a result"),
  asked: z
    .array(
      z.strictObject({
        jobId: jobIdValue.describe("that it was asked with"),
        provider: addressValue,
        answer: z.enum(["accepted", "declined", "failed", "none", "waiting"]),
        notice: z
          .strictObject({
            code: z.string(),
            reason: z.string(),
            at: instantValue,
            signature: z.string().describe("of its account, EIP-712"),
          })
          .optional()
          .describe("what it said; a stranger's words"),
      }),
    )
    .optional()
    .describe("the providers that were asked, this job's the last"),
  ...linked,
  checkpoint: z.number().int().optional().describe("the number of the newest one that is held here, sealed"),
  role: jobRoleValue.optional(),
  stands: z.string(),
  next: z.string().describe("whose turn it is, and by when"),
  otherwise: z.string().describe("what happens when the turn is missed"),
});
