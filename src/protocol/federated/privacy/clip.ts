import { CHUNK, FRACTION } from "../codec/chunk.ts";
import { refuseUpdate } from "../codec/header.ts";
import { squareRoot } from "../exact.ts";

const UNIT = 2 ** FRACTION;
/** What an update can say of one parameter: 127. */
const LARGEST = 127 * UNIT;
/** Less than 1 by more than three roundings of a product. */
const LESS = 1 - 2 ** -50;

/**
 * A change whose L2 norm is at most `most`: cut off at steps of 2^-24 and at ±127, then scaled down where it is longer. The
 * norm is summed exactly and what is scaled is rounded towards 0, so that the bound holds to the last digit.
 * @throws UPDATE_INVALID for a value that is no number
 */
export function clipped(change: Float64Array, most: number): Float64Array {
  const units = change.map((value, i) => {
    if (Number.isNaN(value)) refuseUpdate(`value ${i} is no number`);
    return Math.sign(value) * Math.min(Math.floor(Math.abs(value) * UNIT), LARGEST);
  });
  const bound = BigInt(Math.floor(most * UNIT));
  const square = squareOf(units);
  if (square <= bound * bound) return units.map((one) => one / UNIT);
  const factor = (Number(bound) / Number(squareRoot(square) + 1n)) * LESS;
  return units.map((one) => (Math.sign(one) * Math.floor(Math.abs(one) * factor)) / UNIT);
}

/** Σ u² of whole numbers below 2^31, exact: of halves of 16 digits, whose sums over a chunk stay below 2^53. */
function squareOf(units: Float64Array): bigint {
  let total = 0n;
  for (let start = 0; start < units.length; start += CHUNK) {
    let [high, cross, low] = [0, 0, 0];
    for (let i = start; i < Math.min(start + CHUNK, units.length); i++) {
      const magnitude = Math.abs(units[i]!);
      const upper = Math.floor(magnitude / 2 ** 16);
      const lower = magnitude - upper * 2 ** 16;
      high += upper * upper;
      cross += upper * lower;
      low += lower * lower;
    }
    total += (BigInt(high) << 32n) + (BigInt(cross) << 17n) + BigInt(low);
  }
  return total;
}
