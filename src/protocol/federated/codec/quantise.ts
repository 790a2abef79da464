import { FRACTION, MAX_SCALE } from "./chunk.ts";

const LARGEST_CODE = 127;
/** What a step is worth at each scale, and how many steps make 1; a power of two costs more to compute than to look up. */
const STEPS = Float64Array.from({ length: MAX_SCALE + 1 }, (_, scale) => 2 ** (scale - FRACTION));
const STEPS_IN_ONE = STEPS.map((step) => 1 / step);

/**
 * The least scale s at which `largest` (a magnitude) is at most 127 steps of 2^(s-24). Magnitudes above 127 saturate.
 * Multiplying by a power of two is exact, so every machine finds the same.
 */
export function scaleFor(largest: number): number {
  let scale = 0;
  while (scale < MAX_SCALE && codeOf(largest, scale, Number.POSITIVE_INFINITY) > LARGEST_CODE) scale += 1;
  return scale;
}

/** `value` in steps of 2^(scale-24), rounded half away from zero, at most `most` in magnitude. */
export function codeOf(value: number, scale: number, most: number = LARGEST_CODE): number {
  const steps = Math.min(Math.floor(Math.abs(value) * STEPS_IN_ONE[scale]! + 0.5), most);
  return value < 0 ? -steps : steps;
}

/** What a code stands for. */
export function numberOf(code: number, scale: number): number {
  return code * STEPS[scale]!;
}
