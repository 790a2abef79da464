import { divide, wholeRoot } from "../exact.ts";
import type { ServerStep } from "../strategy.ts";

/** Changes are cut at 1/8 of a weight, so that their squares and 1000 times them stay exact. */
const MOST = 2 ** 21;
const UNIT = 2 ** 24;

/** Adam without bias correction (Reddi et al. 2021): states are the mean change and the mean square of changes. */
export function adamStep(
  { lr, beta1, beta2, tau }: ServerStep,
  change: Float64Array,
  [mean, square]: readonly Float64Array[],
  size: number,
): void {
  const least = Math.max(1, Math.floor((tau * UNIT) / 1e6));
  for (let i = 0; i < size; i++) {
    const cut = Math.min(MOST, Math.max(-MOST, change[i]!));
    mean![i] = divide(mean![i]! * beta1 + cut * (1000 - beta1), 1000);
    square![i] = divide(square![i]! * beta2 + cut * cut * (1000 - beta2), 1000);
    const ratio = divide(mean![i]! * UNIT, wholeRoot(square![i]!) + least);
    change[i] = divide(ratio * lr, 1000);
  }
}
