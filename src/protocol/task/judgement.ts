import type { Measurement } from "../job/measurement.ts";
import type { Terms } from "../job/terms.ts";

type Found = Pick<Measurement, "digest" | "score">;

/** The contract's rule (`Judgement.confirms`): whether what one party found confirms the provider's. */
export function confirms(
  { mode, tolerance, threshold }: Pick<Terms, "mode" | "tolerance" | "threshold">,
  own: Found,
  providers: Found,
): boolean {
  if (mode !== "replicate" && own.digest !== providers.digest) return false;
  if (mode === "digest") return true;
  const distance = own.score < providers.score ? providers.score - own.score : own.score - providers.score;
  return distance <= tolerance && own.score >= threshold;
}

/**
 * Whether two evaluations of one result agree well enough to stake on: half of the tolerance apart at most, so that
 * a third one can be as far off on the other side.
 */
export function isStable({ tolerance }: Pick<Terms, "tolerance">, first: bigint, second: bigint): boolean {
  const distance = first < second ? second - first : first - second;
  return distance * 2n <= tolerance;
}
