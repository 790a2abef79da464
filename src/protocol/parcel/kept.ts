import { z } from "zod";
import type { Hex } from "../ids.ts";
import { bytesSchema, durationSchema } from "../quantity.ts";

const hash = z.string().regex(/^0x[0-9a-f]{64}$/) as z.ZodType<Hex>;
const bytes = z
  .number()
  .int()
  .positive()
  .max(2 ** 50);
const YEAR = 31_536_000;

/** Inputs of one job that are kept. */
export const MAX_KEPT = 8;

/** How long an input is kept, in job.yaml. */
export const keepForSchema = durationSchema.refine(
  (seconds) => seconds > 0 && seconds <= YEAR,
  "must be more than 0 and at most 365d",
);

/**
 * An input that is a parcel of its own, so that a provider that still holds it need not fetch it again. It is in the
 * spec, which none but the parties of the job read.
 */
export const keptPartSchema = z.strictObject({
  /** Merkle root of its ciphertext. */
  root: hash,
  key: hash,
  /** Of the ciphertext. */
  bytes,
  /** Seconds from its last use for which the requester asks to keep it. */
  keep: z.number().int().positive().max(YEAR),
});
export type KeptPart = z.infer<typeof keptPartSchema>;

/** What a policy grants to parts that are kept for others. */
export const keepRuleSchema = z.strictObject({
  maxBytes: bytesSchema
    .prefault("2 GiB")
    .describe("Disk for them; beyond it the longest unused go first. `0 B` keeps none"),
  maxAge: durationSchema.prefault("7d").describe("How long one is kept after its last use, at most"),
});
export type KeepRule = z.infer<typeof keepRuleSchema>;

/** The record beside a parcel that is held on disk. */
export const heldSchema = z.strictObject({
  root: hash,
  bytes,
  /** Of the requester's own alone: a provider learns it from each job. */
  key: hash.optional(),
  /** Unix seconds. */
  usedAt: z.number().int().nonnegative(),
  until: z.number().int().nonnegative(),
});
export type Held = z.infer<typeof heldSchema>;

/** Until when a part is held, Unix seconds: as long as its requester asks for and the policy allows. */
export function heldUntil(now: number, part: Pick<KeptPart, "keep">, { maxAge }: KeepRule): number {
  return now + Math.min(part.keep, maxAge);
}

/** Which of what is held must go: what is over its time, then the longest unused until the rest fits. */
export function excessOf<H extends Held>(held: readonly H[], maxBytes: number, now: number): H[] {
  const over = held.filter(({ until }) => until <= now);
  const rest = held.filter(({ until }) => until > now).toSorted((a, b) => a.usedAt - b.usedAt);
  let total = rest.reduce((sum, one) => sum + one.bytes, 0);
  for (const one of rest) {
    if (total <= maxBytes) break;
    over.push(one);
    total -= one.bytes;
  }
  return over;
}
