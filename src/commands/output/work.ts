import { z } from "zod";
import { offerDetailsSchema, tiers } from "../../protocol/offer.ts";
import { address, amount, bytes, instant } from "./values.ts";

const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .describe("root-filesystem digest");
const image = z.strictObject({ name: z.string(), digest });

/** `provide` and `validate`, once they are ready for jobs. */
export const ready = z.strictObject({
  event: z.literal("ready"),
  account: address,
  roles: z.strictObject({ provider: z.boolean(), validator: z.boolean() }),
  tier: z.enum(tiers),
  images: offerDetailsSchema.shape.images,
});

export const stake = z.strictObject({
  address,
  stake: amount,
  locked: amount.describe("at risk in jobs that are under way"),
  free: amount,
  leaving: z
    .strictObject({
      amount,
      availableAt: instant.describe("Unix seconds from which `stake collect` pays it"),
    })
    .optional(),
  banned: z.boolean(),
});

export const policyTest = z.strictObject({
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

export const runtimes = z.strictObject({
  runtimes: z.array(z.strictObject({ name: z.string(), digest: digest.optional(), bytes: bytes.optional() })),
});

export const runtimeBuilt = image;

export const runtimeChecks = z.strictObject({
  runtimes: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(["ready", "absent", "stale", "refused", "differs"]),
      digest: digest.optional(),
      rebuilt: digest.optional(),
    }),
  ),
});
