import { z } from "zod";
import { modes } from "../../protocol/job/state.ts";
import {
  address,
  amount,
  bytes,
  fixedPoint,
  folder,
  hash,
  instant,
  jobId,
  jobRole,
  jobState,
  seconds,
  verdict,
} from "./values.ts";

const measurement = z.strictObject({
  digest: hash.describe("of the result's files"),
  score: fixedPoint.describe("the metric, turned so that larger is better"),
});

const terms = z.strictObject({
  requester: address,
  provider: address,
  token: address.describe("the zero address is the chain's own coin"),
  price: amount,
  validatorFee: amount.describe("for each validator who reveals"),
  providerStake: amount,
  validatorStake: amount,
  validators: z.number().int().describe("0 is optimistic mode"),
  mode: z.enum(modes),
  tolerance: amount.describe("fixed point, 1e-9"),
  threshold: amount.describe("least score that passes; fixed point, 1e-9"),
  acceptBy: instant,
  windows: z.strictObject({
    run: seconds,
    appoint: seconds,
    commit: seconds,
    reveal: seconds,
    claim: seconds,
    challenge: seconds,
    appeal: seconds,
  }),
  specHash: hash,
  bundleRoot: hash,
  secretHash: hash,
});

export const job = z.strictObject({
  jobId,
  state: jobState,
  final: z.boolean(),
  verdict,
  role: jobRole.optional().describe("of this account; absent for an onlooker"),
  deadline: instant.optional().describe("of whose turn it is"),
  reason: z
    .string()
    .optional()
    .describe("given by the provider at release, or by a validator; a stranger's words"),
  terms,
  resultRoot: hash.optional(),
  providerMeasurement: measurement.optional(),
  validations: z.array(
    z.strictObject({
      validator: address,
      committed: z.boolean(),
      measurement: measurement.optional(),
      abstained: z.boolean(),
    }),
  ),
});

export const jobs = z.strictObject({ jobs: z.array(job).describe("newest first") });

export const posted = z.strictObject({ jobId, state: jobState });

export const opened = z.strictObject({
  jobId,
  state: jobState,
  verdict,
  folder,
  files: z.array(z.string()).describe("paths in the folder"),
  bytes,
});

/** `submit`: with --wait the opened result. */
export const submit = z.union([posted, opened]);

export const resume = z.strictObject({ jobs: z.array(z.strictObject({ jobId, state: jobState, verdict })) });

export const get = opened.omit({ state: true, verdict: true });

export const bond = z.strictObject({ jobId, state: jobState, bond: amount });

export const rated = z.strictObject({ jobId, subject: address, score: z.number().int() });

export const log = z.strictObject({
  jobId,
  text: z.string().describe("the next piece of the log; one line of JSON a piece"),
});

export const why = z.strictObject({
  jobId,
  state: jobState,
  deadline: instant.optional(),
  reason: z.string().optional(),
  role: jobRole.optional(),
  stands: z.string(),
  next: z.string().describe("whose turn it is, and by when"),
  otherwise: z.string().describe("what happens when the turn is missed"),
});
