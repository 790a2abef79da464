import { CHUNK, chunksOf, FRACTION, sizeOfChunk } from "./codec/chunk.ts";

/**
 * A long vector of whole numbers, in units of 2^-24 (Q24): a model, or a state of the server's step. In memory a double
 * holds each; all stay below 2^53 in magnitude, so that sums and products are exact and the same on every machine.
 */
export interface VectorSource {
  readonly length: number;
  /** Fills the beginning of `into` with chunk `index`. */
  load(index: number, into: Float64Array): void;
}

export interface VectorSink {
  /** Takes chunk `index`: the first `size` of `from`. */
  store(index: number, from: Float64Array, size: number): void;
}

/** Largest magnitude of a model's value, in units: 2^23 as a number. Steps that lead further saturate. */
export const LARGEST_UNITS = 2 ** 47;
const UNIT = 2 ** FRACTION;

/** A vector in memory. */
export class Vector implements VectorSource, VectorSink {
  readonly units: Float64Array;

  constructor(length: number) {
    this.units = new Float64Array(length);
  }

  get length(): number {
    return this.units.length;
  }

  load(index: number, into: Float64Array): void {
    into.set(this.units.subarray(index * CHUNK, (index + 1) * CHUNK));
  }

  store(index: number, from: Float64Array, size: number): void {
    this.units.set(from.subarray(0, size), index * CHUNK);
  }

  /** Numbers rounded to the nearest unit, halves away from zero; saturates at ±2^23, and what is no number is 0. */
  static fromNumbers(values: ArrayLike<number>): Vector {
    const vector = new Vector(values.length);
    for (let i = 0; i < values.length; i++) vector.units[i] = toUnits(values[i]!);
    return vector;
  }

  /** The values as numbers; exact. */
  toNumbers(): Float64Array {
    return this.units.map((units) => units / UNIT);
  }
}

function toUnits(value: number): number {
  if (Number.isNaN(value)) return 0;
  const units = Math.min(Math.floor(Math.abs(value) * UNIT + 0.5), LARGEST_UNITS);
  return value < 0 ? -units : units;
}

/** Keeps `units` within what a model may hold. */
export function saturate(units: number): number {
  return Math.max(-LARGEST_UNITS, Math.min(units, LARGEST_UNITS));
}

/** A chunk as i64, little-endian: how vectors lie in files and in digests. */
export function chunkToBytes(from: Float64Array, size: number): Uint8Array {
  const bytes = new Uint8Array(size * 8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < size; i++) {
    const units = from[i]!;
    const high = Math.floor(units / 2 ** 32);
    view.setUint32(i * 8, units - high * 2 ** 32, true);
    view.setInt32(i * 8 + 4, high, true);
  }
  return bytes;
}

/** The inverse of `chunkToBytes`, for bytes that it made; others may lose digits above 2^53. */
export function chunkFromBytes(bytes: Uint8Array, into: Float64Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i * 8 < bytes.length; i++) {
    into[i] = view.getInt32(i * 8 + 4, true) * 2 ** 32 + view.getUint32(i * 8, true);
  }
}

/** Calls `use` with each chunk of `source`. */
export function eachChunk(
  source: VectorSource,
  use: (chunk: Float64Array, size: number, index: number) => void,
): void {
  const chunk = new Float64Array(CHUNK);
  for (let index = 0; index < chunksOf(source.length); index++) {
    source.load(index, chunk);
    use(chunk, sizeOfChunk(source.length, index), index);
  }
}
