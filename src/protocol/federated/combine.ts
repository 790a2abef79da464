import {
  BLOCK,
  CHUNK,
  type Chunk,
  type ChunkRange,
  emptyChunk,
  everyChunk,
  sizeOfChunk,
  type UpdateSource,
} from "./codec/chunk.ts";
import { squareRoot } from "./exact.ts";
import type { Products } from "./statistics.ts";
import type { AggregatePlan } from "./strategy.ts";

/** Factors of updates in a mean are whole numbers of 2^-20. */
const WHOLE = 2 ** 20;

/** How a round's updates become one change; plain values, which another thread can be sent. */
export type Combination =
  | {
      readonly kind: "mean";
      /** Of each update, the root update's last, in units of 2^-20; 0 leaves it out. */
      readonly factors: readonly number[];
    }
  | {
      readonly kind: "middle";
      /** Indices of the updates whose values are sorted. */
      readonly chosen: readonly number[];
      /** Values that are left out at either end. */
      readonly cut: number;
    }
  | {
      readonly kind: "near-median";
      readonly chosen: readonly number[];
      /** Values that are averaged: those nearest to the median. */
      readonly kept: number;
    };

/**
 * Factors of the weighted mean over `taken` and the root update: weight / sum of weights, times clip / norm where the norm
 * is longer; the root update is brought to the clip's norm, shorter or longer, with a factor of at most 1.
 */
export function factorsOf(
  plan: AggregatePlan,
  taken: readonly number[],
  { squares, rootSquare }: Products,
): number[] {
  const sum = taken.reduce((total, i) => total + BigInt(plan.weights[i]!), BigInt(plan.rootWeight));
  const scaled = (weight: number, square: bigint, stretch: boolean): number => {
    const norm = squareRoot(square);
    const clip = plan.clip !== undefined && norm > 0n && (stretch || norm > plan.clip) ? plan.clip : norm;
    if (norm === 0n || sum === 0n) return 0;
    const factor = (BigInt(weight) * BigInt(WHOLE) * clip) / (sum * norm);
    return Math.min(Number(factor), WHOLE);
  };
  const within = new Set(taken);
  return [
    ...squares.map((square, i) => (within.has(i) ? scaled(plan.weights[i]!, square, false) : 0)),
    scaled(plan.rootWeight, rootSquare, true),
  ];
}

/** Gives the combined change chunk by chunk: the first `size` of `change`, in units of 2^-24. */
export type Combine = (use: (change: Float64Array, size: number, index: number) => void) => void;

/** Combines the chunks in `range` of vectors of `length`; `updates` has the root update last. */
export function combineBy(
  combination: Combination,
  updates: readonly UpdateSource[],
  length: number,
  range: ChunkRange = everyChunk(length),
): Combine {
  if (combination.kind === "mean") return meanOf(updates, combination.factors, length, range);
  const chosen = combination.chosen.map((i) => updates[i]!);
  const pick =
    combination.kind === "middle"
      ? middle(chosen.length, combination.cut)
      : (values: Float64Array) => nearMedian(values, combination.kept);
  return meanOfSorted(chosen, pick, length, range);
}

/**
 * The weighted mean, rounded to the nearest unit. A code is below 2^7, its scale at most 2^24, the factors together at
 * most 2^21: every sum is below 2^53, and its order does not matter.
 */
function meanOf(
  updates: readonly UpdateSource[],
  factors: readonly number[],
  length: number,
  { from, to }: ChunkRange,
): Combine {
  return (use) => {
    const chunk = emptyChunk();
    const change = new Float64Array(CHUNK);
    for (let index = from; index < to; index++) {
      const size = sizeOfChunk(length, index);
      change.fill(0);
      for (const [i, source] of updates.entries()) {
        if (factors[i] === 0) continue;
        source.load(index, chunk);
        addScaled(change, chunk, factors[i]!, Math.ceil(size / BLOCK));
      }
      for (let i = 0; i < size; i++) change[i] = nearest(change[i]!);
      use(change, size, index);
    }
  };
}

function addScaled(sum: Float64Array, { codes, scales }: Chunk, factor: number, blocks: number): void {
  for (let block = 0; block < blocks; block++) {
    const scaled = factor * 2 ** scales[block]!;
    const end = (block + 1) * BLOCK;
    for (let i = block * BLOCK; i < end; i++) sum[i]! += codes[i]! * scaled;
  }
}

function nearest(sum: number): number {
  return sum < 0 ? -Math.floor(-sum / WHOLE + 0.5) : Math.floor(sum / WHOLE + 0.5);
}

/** A range of values in ascending order. */
type Pick = (values: Float64Array) => readonly [from: number, to: number];

/** All but `cut` at either end. */
function middle(count: number, cut: number): Pick {
  const range = [cut, count - cut] as const;
  return () => range;
}

/** The `kept` values nearest to the median; of two that are equally near, the smaller. */
export function nearMedian(values: Float64Array, kept: number): readonly [from: number, to: number] {
  const half = values.length >> 1;
  // Twice the median, and of all values: that of an even number lies between two.
  const twice = values[half]! + values[values.length % 2 === 1 ? half : half - 1]!;
  let [from, to] = [half, half];
  while (to - from < kept) {
    const below = from > 0 ? twice - 2 * values[from - 1]! : Number.POSITIVE_INFINITY;
    const above = to < values.length ? 2 * values[to]! - twice : Number.POSITIVE_INFINITY;
    if (below <= above) from -= 1;
    else to += 1;
  }
  return [from, to];
}

/** The mean of the values that `pick` chooses of each parameter's, rounded down. */
function meanOfSorted(
  updates: readonly UpdateSource[],
  pick: Pick,
  length: number,
  { from, to }: ChunkRange,
): Combine {
  return (use) => {
    const chunks = updates.map(() => emptyChunk());
    const change = new Float64Array(CHUNK);
    const values = new Float64Array(updates.length);
    for (let index = from; index < to; index++) {
      const size = sizeOfChunk(length, index);
      for (const [i, source] of updates.entries()) source.load(index, chunks[i]!);
      for (let i = 0; i < size; i++) {
        for (let at = 0; at < chunks.length; at++) {
          const { codes, scales } = chunks[at]!;
          insert(values, at, codes[i]! * 2 ** scales[i >> 8]!);
        }
        const [first, end] = pick(values);
        let sum = 0;
        for (let at = first; at < end; at++) sum += values[at]!;
        change[i] = end > first ? Math.floor(sum / (end - first)) : 0;
      }
      use(change, size, index);
    }
  };
}

/** Puts `value` in its place among the first `count`, which ascend. */
function insert(values: Float64Array, count: number, value: number): void {
  let at = count;
  while (at > 0 && values[at - 1]! > value) {
    values[at] = values[at - 1]!;
    at -= 1;
  }
  values[at] = value;
}
