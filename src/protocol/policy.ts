import { z } from "zod";
import { sameAddress } from "./ids.ts";
import { type OfferDetails, tierAtLeast, tiers } from "./offer.ts";
import { bytesSchema, coinSchema, durationSchema } from "./quantity.ts";
import { bundledKind, type Spec } from "./spec.ts";
import type { Terms } from "./terms.ts";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);

/** `policy.yaml`: what a provider or validator takes on. Everything has a careful default. */
export const policySchema = z.strictObject({
  /** Least price for an hour of the run window, and least fee for a validation. */
  pricePerHour: coinSchema.prefault("0.01"),
  validationFee: coinSchema.prefault("0.001"),
  /** Jobs at once. */
  maxJobs: z.number().int().min(1).max(64).default(1),
  maxTime: durationSchema.prefault("24h"),
  maxBundle: bytesSchema.prefault("10 GiB"),
  maxResult: bytesSchema.prefault("10 GiB"),
  /** What is kept of one run's output. */
  maxLog: bytesSchema
    .pipe(
      z
        .number()
        .min(4096)
        .max(4 * 2 ** 20),
    )
    .prefault("1 MiB"),
  /** What a requester is shown of it before it has paid for the result; "0 B" shows nothing. */
  liveLog: bytesSchema.prefault("16 KiB"),
  /** What images that ichain brought may take of the disk before those of past jobs are removed. */
  imageDisk: bytesSchema.prefault("20 GiB"),
  /**
   * Images that come with a job. They are made without network, but a Dockerfile's steps run in the
   * engine's own containers, which are weaker walls than a task's: allow them only to requesters you trust.
   */
  bundledImages: z
    .strictObject({
      dockerfile: z.boolean().default(false),
      archive: z.boolean().default(false),
      /** What making one may take of the disk, and how long. */
      maxBytes: bytesSchema.prefault("4 GiB"),
      maxTime: durationSchema.prefault("10m"),
    })
    .prefault({}),
  /** Weakest isolation in which strangers' code may run here. */
  leastTier: z.enum(tiers).default("runc"),
  /** Stake at risk in one job, at most. */
  maxStake: coinSchema.prefault("100"),
  /** Whether a rejection is appealed against: three drawn validators decide, and the loser pays them. */
  appeal: z.enum(["always", "never"]).default("never"),
  /** How long a paid result is served to a requester that has not fetched it. */
  keepResults: durationSchema.prefault("7d"),
  requesters: z
    .strictObject({
      allow: z.array(address).max(10_000).optional(),
      deny: z.array(address).max(10_000).default([]),
    })
    .prefault({}),
});
export type Policy = z.infer<typeof policySchema>;

export interface Refusal {
  /** Stable, for logs and `policy test`. */
  readonly code: string;
  readonly reason: string;
}

const no = (code: string, reason: string): Refusal => ({ code, reason });

/** Judges what the chain shows of a job; undefined means that it may be looked at further. */
export function refuseTerms(
  policy: Policy,
  terms: Terms,
  role: "provider" | "validator",
  now: number,
): Refusal | undefined {
  const { allow, deny } = policy.requesters;
  if (deny.some((one) => sameAddress(one, terms.requester)))
    return no("REQUESTER_DENIED", "its requester is denied");
  if (allow && !allow.some((one) => sameAddress(one, terms.requester))) {
    return no("REQUESTER_NOT_ALLOWED", "its requester is not on the list");
  }
  if (terms.windows.run > policy.maxTime)
    return no("TIME_TOO_LONG", "its run window is longer than the policy allows");
  if (role === "validator") {
    if (terms.validatorFee < policy.validationFee)
      return no("FEE_TOO_LOW", "its validation fee is below the floor");
    return terms.validatorStake > policy.maxStake
      ? no("STAKE_TOO_HIGH", "it asks for too much stake")
      : undefined;
  }
  if (terms.acceptBy <= now) return no("TOO_LATE", "its time to accept is over");
  if (terms.price * 3600n < policy.pricePerHour * BigInt(terms.windows.run)) {
    return no("PRICE_TOO_LOW", "its price is below the floor");
  }
  return terms.providerStake > policy.maxStake
    ? no("STAKE_TOO_HIGH", "it asks for too much stake")
    : undefined;
}

/** Judges the spec, once the bundle is here, against what this machine has. */
export function refuseSpec(policy: Policy, spec: Spec, machine: OfferDetails): Refusal | undefined {
  const { resources, image, tier } = spec;
  const kind = bundledKind(image);
  if (kind === undefined && !machine.images.some((one) => one.digest === image))
    return no("IMAGE_UNKNOWN", "its image is not held here");
  if (kind !== undefined && !policy.bundledImages[kind])
    return no("IMAGE_NOT_ALLOWED", `the policy takes no job with an image as ${kind}`);
  if (!tierAtLeast(machine.tier, policy.leastTier))
    return no("TIER_TOO_WEAK", "isolation here is below the policy's least");
  if (!tierAtLeast(machine.tier, tier)) return no("TIER_TOO_WEAK", `it asks for ${tier}`);
  if (resources.cpus > machine.cpus) return no("CPUS_TOO_MANY", "it asks for more CPUs than there are");
  if (resources.memory > machine.memoryBytes)
    return no("MEMORY_TOO_LARGE", "it asks for more memory than there is");
  if (resources.disk > Math.min(machine.diskBytes, policy.maxResult))
    return no("DISK_TOO_LARGE", "it asks for too much disk");
  if (resources.gpus > machine.gpus.length)
    return no("GPUS_TOO_MANY", "it asks for more GPUs than there are");
  if (resources.time > policy.maxTime)
    return no("TIME_TOO_LONG", "it asks for more time than the policy allows");
  return undefined;
}
