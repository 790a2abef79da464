import { z } from "zod";
import type { Address, Hex } from "./ids.ts";
import { benchmarkSchema } from "./machine/benchmark.ts";
import { namePatternSchema } from "./task/pulled-image.ts";

/** How a task is isolated from its host, weakest first; found by probes of its behaviour. */
export const tiers = ["runc", "userns", "gvisor", "vm"] as const;
export type Tier = (typeof tiers)[number];

/** True when tier `have` isolates at least as well as tier `want`. */
export function tierAtLeast(have: Tier, want: Tier): boolean {
  return tiers.indexOf(have) >= tiers.indexOf(want);
}

/** How an image can come with a job: in its bundle, or pulled from a registry. */
export const bundledKinds = ["dockerfile", "archive"] as const;
export type BundledKind = (typeof bundledKinds)[number];

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const bytes = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const amount = z.string().regex(/^\d{1,39}$/);

/** Tokens that one offer lists, beside the coin. */
export const MAX_TOKENS = 6;

/** Patterns of an offer or a policy; an offer has at most 2 KiB. */
export const MAX_PATTERNS = 8;

/** The self-described half of an offer: bounded JSON of at most 2 KiB on the chain. */
export const offerDetailsSchema = z.strictObject({
  version: z.literal(1),
  name: z.string().max(64).default(""),
  tier: z.enum(tiers),
  cpus: z.number().positive().max(4096),
  memoryBytes: bytes,
  diskBytes: bytes,
  gpus: z
    .array(
      z.strictObject({
        model: z.string().max(64),
        memoryBytes: bytes,
        /** Version of its driver; empty where it is not known. */
        driver: z.string().max(32).default(""),
        /** How many of these there are. */
        count: z.number().int().min(1).max(64).default(1),
      }),
    )
    .max(16)
    .default([]),
  /** What the machine scored, as its owner says; absent where it was not measured. */
  benchmark: benchmarkSchema.optional(),
  /** Runtime images this machine holds, by root-filesystem digest. */
  images: z.array(z.strictObject({ name: z.string().max(64), digest })).max(16),
  /** Kinds of images in bundles that its policy allows. */
  bundledImages: z.array(z.enum(bundledKinds)).max(bundledKinds.length).default([]),
  /** Images that it pulls from registries, as patterns of their names (`matchesName`). */
  pulledImages: z.array(namePatternSchema).max(MAX_PATTERNS).default([]),
  /** Largest checkpoint that it shows while a task runs; none where absent. */
  maxCheckpoint: bytes.optional(),
  /** Whether it is paid in the coin. */
  coin: z.boolean().default(true),
  /** Other tokens that it is paid in: amounts in the token's smallest unit, `worth` in wei for a whole token. */
  tokens: z
    .array(
      z.strictObject({
        token: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
        worth: z.string().regex(/^[1-9]\d{0,38}$/),
        pricePerHour: amount,
        validationFee: amount,
      }),
    )
    .max(MAX_TOKENS)
    .default([]),
});
export type OfferDetails = z.infer<typeof offerDetailsSchema>;

/** Public keys of an account, as the registry holds them. */
export interface PublicKeys {
  /** Binary OpenPGP v6 certificate, at most 2 KiB. */
  readonly openpgpKey: Hex;
  /** Its 32-byte v6 fingerprint. */
  readonly fingerprint: Hex;
  /** 32-byte x25519 key for onion client authorisation. */
  readonly onionKey: Hex;
}

/** An account with its keys, as `Keyring.seal` needs them. */
export interface Party {
  readonly account: Address;
  readonly keys: PublicKeys;
}

/** How an account's jobs ended in one role, counted by the escrow. */
export interface Outcomes {
  readonly settled: number;
  readonly late: number;
  readonly rejected: number;
  readonly released: number;
  readonly abstained: number;
  readonly hid: number;
  /** Confirmed, and short of the threshold. */
  readonly unmet: number;
}

/** Scores of 1 to 5 by the other parties of its jobs, and the escrow's counters. */
export interface Rating {
  readonly count: number;
  readonly sum: number;
  readonly outcomes: Outcomes;
}

export interface Offer {
  readonly account: Address;
  readonly provider: boolean;
  readonly validator: boolean;
  /** Least price, in the coin's smallest unit, for an hour of the run window. */
  readonly priceFloor: bigint;
  /** Least fee for one validation. */
  readonly feeFloor: bigint;
  readonly stake: bigint;
  readonly lockedStake: bigint;
  /** Member of the pool that draws pick from; the pool's part of its stake is for draws only. */
  readonly pooled: boolean;
  readonly banned: boolean;
  readonly keys: PublicKeys;
  readonly details: OfferDetails;
  readonly ratingAsProvider: Rating;
  readonly ratingAsValidator: Rating;
}
