import type { Measurement } from "./measurement.ts";
import type { Terms } from "./terms.ts";

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
