import { BLOCK, chunksOf, emptyChunk, MAX_SCALE, sizeOfChunk, type UpdateSource } from "./codec/chunk.ts";

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

/**
 * Reads all updates once, a chunk of each at a time. The sum of a block's 256 products of codes is below 2^22; such sums
 * are collected by the exponent of their scale, and only the totals are shifted: exact, without a bigint in the loop.
 */
export function productsOf(
  updates: readonly UpdateSource[],
  { root, pairs = false }: { root?: UpdateSource; pairs?: boolean } = {},
): Products {
  const all = root === undefined ? updates : [...updates, root];
  const chunks = all.map(() => emptyChunk());
  const wanted = all.flatMap((_, i) =>
    all
      .map((_, j) => [i, j] as const)
      .filter(([i, j]) => j >= i && (i === j || pairs || j === updates.length)),
  );
  const sums = wanted.map(() => new Float64Array(2 * MAX_SCALE + 1));
  const length = all[0]?.length ?? 0;
  for (let index = 0; index < chunksOf(length); index++) {
    for (const [i, source] of all.entries()) source.load(index, chunks[i]!);
    const blocks = Math.ceil(sizeOfChunk(length, index) / BLOCK);
    for (const [at, [i, j]] of wanted.entries()) {
      const [a, b, sum] = [chunks[i]!, chunks[j]!, sums[at]!];
      for (let block = 0; block < blocks; block++) {
        sum[a.scales[block]! + b.scales[block]!]! += blockProduct(a.codes, b.codes, block * BLOCK);
      }
    }
  }
  const product = (i: number, j: number): bigint => {
    const at = wanted.findIndex(([a, b]) => a === Math.min(i, j) && b === Math.max(i, j));
    return sums[at]!.reduce((total, sum, shift) => total + (BigInt(sum) << BigInt(shift)), 0n);
  };
  const last = updates.length;
  return {
    squares: updates.map((_, i) => product(i, i)),
    root: root === undefined ? [] : updates.map((_, i) => product(i, last)),
    rootSquare: root === undefined ? 0n : product(last, last),
    pairs: pairs ? updates.map((_, i) => updates.map((_, j) => product(i, j))) : [],
  };
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
