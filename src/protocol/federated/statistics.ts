import {
  BLOCK,
  type ChunkRange,
  emptyChunk,
  everyChunk,
  MAX_SCALE,
  sizeOfChunk,
  type UpdateSource,
} from "./codec/chunk.ts";

/** Inner products of updates, exact, in units of 2^-48. */
export interface Products {
  /** Of each update with itself. */
  readonly squares: readonly bigint[];
  /** Of each with the root update; empty where there is none. */
  readonly root: readonly bigint[];
  readonly rootSquare: bigint;
  /** Of each pair; rows by update. Empty where they were not asked for. */
  readonly pairs: readonly (readonly bigint[])[];
}

/** Which products are asked for, beside the squares. */
export interface Wanted {
  /** True: the last update is the root update, and each is multiplied with it. */
  readonly root: boolean;
  readonly pairs: boolean;
}

/** Sums of the products over a range of chunks: of each wanted pair one for each exponent. They add up, in any order. */
export type ProductSums = readonly Float64Array[];

/**
 * Reads all updates once, a chunk of each at a time. The sum of a block's 256 products of codes is below 2^22; such sums
 * are collected by the exponent of their scale, and only the totals are shifted: exact, without a bigint in the loop.
 */
export function productsOf(updates: readonly UpdateSource[], wanted: Wanted): Products {
  const sums = sumProducts(updates, wanted, everyChunk(updates[0]?.length ?? 0));
  return productsFrom([sums], updates.length, wanted);
}

/** The sums over the chunks in `range`. */
export function sumProducts(
  updates: readonly UpdateSource[],
  wanted: Wanted,
  { from, to }: ChunkRange,
): ProductSums {
  const chunks = updates.map(() => emptyChunk());
  const multiplied = pairsOf(updates.length, wanted);
  const sums = multiplied.map(() => new Float64Array(2 * MAX_SCALE + 1));
  for (let index = from; index < to; index++) {
    for (const [i, source] of updates.entries()) source.load(index, chunks[i]!);
    const blocks = Math.ceil(sizeOfChunk(updates[0]!.length, index) / BLOCK);
    for (const [at, [i, j]] of multiplied.entries()) {
      const [a, b, sum] = [chunks[i]!, chunks[j]!, sums[at]!];
      for (let block = 0; block < blocks; block++) {
        sum[a.scales[block]! + b.scales[block]!]! += blockProduct(a.codes, b.codes, block * BLOCK);
      }
    }
  }
  return sums;
}

/** The products of `count` updates from the sums over all ranges. */
export function productsFrom(parts: readonly ProductSums[], count: number, wanted: Wanted): Products {
  const multiplied = pairsOf(count, wanted);
  const totals = multiplied.map((_, at) =>
    parts.reduce(
      (total, sums) => sums[at]!.reduce((sum, one, shift) => sum + (BigInt(one) << BigInt(shift)), total),
      0n,
    ),
  );
  const places = new Map(multiplied.map(([i, j], at) => [i * count + j, at]));
  const product = (i: number, j: number): bigint =>
    totals[places.get(Math.min(i, j) * count + Math.max(i, j))!]!;
  const last = wanted.root ? count - 1 : count;
  const members = [...Array(last).keys()];
  return {
    squares: members.map((i) => product(i, i)),
    root: wanted.root ? members.map((i) => product(i, last)) : [],
    rootSquare: wanted.root ? product(last, last) : 0n,
    pairs: wanted.pairs ? members.map((i) => members.map((j) => product(i, j))) : [],
  };
}

function pairsOf(count: number, { root, pairs }: Wanted): (readonly [number, number])[] {
  const indices = [...Array(count).keys()];
  return indices.flatMap((i) =>
    indices
      .filter((j) => j >= i && (i === j || pairs || (root && j === count - 1)))
      .map((j) => [i, j] as const),
  );
}

/** Four sums side by side: one waits for its own last addition, not for the others'. */
function blockProduct(a: Int8Array, b: Int8Array, start: number): number {
  let [first, second, third, fourth] = [0, 0, 0, 0];
  for (let i = start; i < start + BLOCK; i += 4) {
    first = (first + Math.imul(a[i]!, b[i]!)) | 0;
    second = (second + Math.imul(a[i + 1]!, b[i + 1]!)) | 0;
    third = (third + Math.imul(a[i + 2]!, b[i + 2]!)) | 0;
    fourth = (fourth + Math.imul(a[i + 3]!, b[i + 3]!)) | 0;
  }
  return first + second + third + fourth;
}
