import { z } from "zod";
import { benchmarkSchema } from "../../protocol/machine/benchmark.ts";
import { offerDetailsSchema, tiers } from "../../protocol/offer.ts";
import { addressValue, amountValue, bytesValue, instantValue } from "./values.ts";

const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .describe("root-filesystem digest");
const image = z.strictObject({ name: z.string(), digest });

/** What `--install-service` wrote. */
const serviceOutput = z.strictObject({
  event: z.literal("service"),
  path: z.string().describe("of the unit"),
  state: z.enum(["written", "unchanged", "printed"]),
  unit: z.string().describe("its text"),
  next: z.array(z.string()).describe("commands that start it and look at it"),
});

/** `provide` and `validate`, once they are ready for jobs. */
const ready = z.strictObject({
  event: z.literal("ready"),
  account: addressValue,
  roles: z.strictObject({ provider: z.boolean(), validator: z.boolean() }),
  tier: z.enum(tiers),
  images: offerDetailsSchema.shape.images,
});
export const readyOutput = z.union([ready, serviceOutput]);

/** `serve`, once it acts for jobs. */
const serving = z.strictObject({
  event: z.literal("serving"),
  account: addressValue,
  jobs: z.number().int().describe("unfinished ones of this home"),
});
export const servingOutput = z.union([serving, serviceOutput]);

export const benchmarkOutput = z.strictObject({
  seed: z.number().int(),
  checksum: z.number().int().describe("the same for a seed on every machine"),
  benchmark: benchmarkSchema,
});

/** With `--calldata`: what a wallet elsewhere signs and sends, in this order. */
export const callsOutput = z.strictObject({
  account: addressValue.describe("that the calls are about"),
  calls: z.array(
    z.strictObject({
      call: z.string(),
      to: addressValue.describe("the contract"),
      value: amountValue.describe("wei sent along"),
      data: z
        .string()
        .regex(/^0x[0-9a-f]*$/)
        .describe("calldata"),
    }),
  ),
});

export const ownerOutput = z.strictObject({
  address: addressValue,
  owner: addressValue.describe("itself, or who accepted it: moves the stake, names the payee"),
  payee: addressValue.describe("where stake and all that it is owed are paid"),
  offeredTo: addressValue.optional().describe("who may accept it"),
});
export const ownerChangeOutput = z.union([ownerOutput, callsOutput]);

export const stakeOutput = z.strictObject({
  address: addressValue,
  stake: amountValue,
  locked: amountValue.describe("at risk in jobs that are under way"),
  free: amountValue,
  leaving: z
    .strictObject({
      amount: amountValue,
      availableAt: instantValue.describe("Unix seconds from which `stake collect` pays it"),
    })
    .optional(),
  banned: z.boolean(),
  owner: addressValue,
  payee: addressValue,
});
export const stakeChangeOutput = z.union([stakeOutput, callsOutput]);

export const policyTestOutput = z.strictObject({
  pace: z.strictObject({ blockSeconds: z.number(), confirmations: z.number().int() }),
  verdicts: z.array(
    z.strictObject({
      role: z.enum(["provider", "validator"]),
      takes: z.boolean(),
      code: z.string().optional().describe("of the refusal (docs/reference/errors.md)"),
      reason: z.string().optional(),
      fix: z.strictObject({ field: z.string(), value: z.string() }).optional(),
    }),
  ),
});

export const runtimesOutput = z.strictObject({
  runtimes: z.array(
    z.strictObject({ name: z.string(), digest: digest.optional(), bytes: bytesValue.optional() }),
  ),
});

/** `image digest` and `image push`. */
export const imageNameOutput = z.strictObject({
  oci: z.string().describe("what job.yaml takes as `image: {oci: …}`"),
});

export const runtimeBuiltOutput = image;

export const runtimeChecksOutput = z.strictObject({
  runtimes: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(["ready", "absent", "stale", "refused", "differs"]),
      digest: digest.optional(),
      rebuilt: digest.optional(),
    }),
  ),
});
