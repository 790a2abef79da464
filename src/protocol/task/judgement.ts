import { id } from "ethers";
import type { Hex } from "../ids.ts";
import type { Measurement } from "../job/measurement.ts";
import type { Terms } from "../job/terms.ts";
import type { Spec } from "./spec.ts";

/** What decides a verdict, as the contract compares it. */
export type JudgedBy = Pick<Terms, "mode" | "tolerance" | "threshold">;

export function ruleOf({ mode, goal, tolerance, threshold }: Spec["verification"]): JudgedBy {
  const fixed = (value: number) => BigInt(Math.round(value * 1e9));
  return { mode, tolerance: fixed(tolerance), threshold: fixed(goal === "max" ? threshold : -threshold) };
}

type Finding = Pick<Measurement, "digest" | "score">;

/** What one validator found: the same as the provider, something else, or the same and short of the threshold. */
export type Vote = "pass" | "fail" | "unmet";

/** The digest in the measurement of a run that ended without outputs (`Judgement.sol`). */
export const FAILED_RUN: Hex = id("ichain.failed-run") as Hex;

/** The contract's rule (`Judgement.voteOf`): what one party's measurement says of the provider's. */
export function voteOf({ mode, tolerance, threshold }: JudgedBy, own: Finding, providers: Finding): Vote {
  const failed = providers.digest === FAILED_RUN;
  if ((mode !== "replicate" || failed) && own.digest !== providers.digest) return "fail";
  if (failed) return "unmet";
  if (mode === "digest") return "pass";
  const distance = own.score < providers.score ? providers.score - own.score : own.score - providers.score;
  if (mode !== "exam" && distance > tolerance) return "fail";
  return own.score >= threshold ? "pass" : "unmet";
}

/**
 * Whether two evaluations of one result agree well enough to risk a stake: they differ by half of the tolerance at
 * most, so that a third one may differ as much to the other side.
 */
export function isStable({ tolerance }: Pick<Terms, "tolerance">, first: bigint, second: bigint): boolean {
  const distance = first < second ? second - first : first - second;
  return distance * 2n <= tolerance;
}
