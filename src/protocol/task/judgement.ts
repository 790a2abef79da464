import type { Measurement } from "../job/measurement.ts";
import type { Terms } from "../job/terms.ts";

type Finding = Pick<Measurement, "digest" | "score">;

/** The contract's rule (`Judgement.confirms`): whether one party's measurement confirms the provider's. */
export function confirms(
  { mode, tolerance, threshold }: Pick<Terms, "mode" | "tolerance" | "threshold">,
  own: Finding,
  providers: Finding,
): boolean {
  if (mode !== "replicate" && own.digest !== providers.digest) return false;
  if (mode === "digest") return true;
  const distance = own.score < providers.score ? providers.score - own.score : own.score - providers.score;
  return distance <= tolerance && own.score >= threshold;
}

/**
 * Whether two evaluations of one result agree well enough to risk a stake: they differ by half of the tolerance at
 * most, so that a third one may differ as much to the other side.
 */
export function isStable({ tolerance }: Pick<Terms, "tolerance">, first: bigint, second: bigint): boolean {
  const distance = first < second ? second - first : first - second;
  return distance * 2n <= tolerance;
}
