import { IchainError } from "../../errors/error.ts";

/** Scores are int64 fixed point with nine decimals: 0.973 is 973_000_000n. */
const SCALE = 1e9;
const LIMIT = 2n ** 63n - 1n;

/** Whether a larger value of the task's metric is the better one (`acc`) or the smaller (`loss`). */
export type Goal = "max" | "min";

/** The score of a result that cannot be loaded or measured; it is below every threshold. */
export const WORST_SCORE = -LIMIT;

/**
 * The score of a metric, as the contract compares it: fixed point, and larger is better, so that a metric to be
 * minimised is negated.
 * @throws METRIC_OUT_OF_RANGE
 */
export function toScore(metric: number, goal: Goal): bigint {
  const scaled = Math.round(metric * SCALE);
  const fixed = Number.isFinite(scaled) ? BigInt(scaled) : LIMIT + 1n;
  if (fixed > LIMIT || fixed < -LIMIT) {
    throw new IchainError(
      "METRIC_OUT_OF_RANGE",
      `The metric ${metric} does not fit the contract's fixed-point range.`,
    );
  }
  return goal === "max" ? fixed : -fixed;
}

/** The inverse of `toScore`, for display. */
export function fromScore(score: bigint, goal: Goal): number {
  const value = Number(score) / SCALE;
  return goal === "max" ? value : -value;
}
