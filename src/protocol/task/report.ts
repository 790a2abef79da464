import { z } from "zod";
import { IchainError } from "../../errors/error.ts";
import type { Hex } from "../ids.ts";
import type { Measurement } from "../job/measurement.ts";
import { tiers } from "../offer.ts";
import { failureSchema } from "./failure.ts";

const hex32 = z.string().regex(/^0x[0-9a-f]{64}$/);
const count = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER);

/** A run's exit code and resource use. */
const usage = z.strictObject({
  exitCode: z.number().int().min(0).max(255),
  wallSeconds: count,
  cpuSeconds: count,
  peakMemoryBytes: count,
  /** GPUs times wall time: the job has them to itself. */
  gpuSeconds: count,
});

/**
 * The provider's run report is a parcel of its own, which validators can open only after they have committed. It holds
 * `report.json`, of this shape, and `log.txt`, the task's output. Of a run that failed it is delivered in place of the
 * result.
 */
export const reportSchema = z.strictObject({
  version: z.literal(1),
  jobId: hex32,
  image: z.string().max(80),
  tier: z.enum(tiers),
  measurement: z.strictObject({
    digest: hex32,
    score: z.string().regex(/^-?\d{1,19}$/),
    salt: hex32,
  }),
  metrics: z.record(z.string().max(64), z.number()),
  /** The run that made the result. */
  run: usage,
  /** The run that measured it, in `evaluate`. */
  evaluation: usage.optional(),
  /** Of a run that failed. */
  failure: failureSchema.optional(),
});
export type Report = z.infer<typeof reportSchema>;

export function measurementOf({ measurement: { digest, score, salt } }: Report): Measurement {
  return { digest: digest as Hex, score: BigInt(score), salt: salt as Hex };
}

/**
 * Parses `report.json`.
 * @throws REPORT_MALFORMED
 */
export function parseReport(text: string): Report {
  try {
    return reportSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new IchainError("REPORT_MALFORMED", "The provider's run report is malformed.", { cause });
  }
}
