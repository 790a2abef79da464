import { IchainError } from "../../errors/error.ts";

/** Metrics cross the chain as int64 fixed point with nine decimals: 0.973 is 973_000_000n. */
export const METRIC_DECIMALS = 9;
const SCALE = 10 ** METRIC_DECIMALS;
const LIMIT = 2n ** 63n - 1n;

/** Whether a larger value of the task's metric is the better one (`acc`) or the smaller (`loss`). */
export type Goal = "max" | "min";

/** The score of a result that cannot be loaded or measured: no threshold is as low. */
export const WORST_SCORE = -LIMIT;

/**
 * A metric as the contract compares it: fixed point, and always larger-is-better, so that a metric
 * to be minimised is negated.
 */
export function toScore(metric: number, goal: Goal): bigint {
  const scaled = Math.round(metric * SCALE);
  const fixed = Number.isFinite(scaled) ? BigInt(scaled) : LIMIT + 1n;
  if (fixed > LIMIT || fixed < -LIMIT) {
    throw new IchainError(`The metric ${metric} does not fit the contract's fixed-point range.`, {
      code: "METRIC_OUT_OF_RANGE",
      class: "failed",
      hint: "Report a finite metric between -9.2e9 and 9.2e9; scale it in the task if it is larger.",
    });
  }
  return goal === "max" ? fixed : -fixed;
}

/** The inverse of `toScore`, for people to read. */
export function fromScore(score: bigint, goal: Goal): number {
  const value = Number(score) / SCALE;
  return goal === "max" ? value : -value;
}
