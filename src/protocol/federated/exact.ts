/** Whole square root: the largest r with r² ≤ n. */
export function squareRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let root = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** a / b rounded down, also for negative numbers; b > 0. */
export function divideDown(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a < 0n && quotient * b !== a ? quotient - 1n : quotient;
}

/** Middle of the sorted values; of two middles their mean, rounded down. Zero of none. */
export function medianOf(values: readonly bigint[]): bigint {
  const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const half = sorted.length >> 1;
  if (sorted.length === 0) return 0n;
  return sorted.length % 2 === 1 ? sorted[half]! : divideDown(sorted[half - 1]! + sorted[half]!, 2n);
}

/** Cosines are whole numbers of this. */
export const ONE = 2 ** 20;

/** a·b / √(a·a · b·b) in units of 2^-20, rounded down; 0 where one of them is zero. */
export function cosine(product: bigint, squareA: bigint, squareB: bigint): number {
  const norms = squareRoot(squareA * squareB);
  return norms === 0n ? 0 : Number(divideDown(product * BigInt(ONE), norms));
}

/**
 * a / b for whole numbers, rounded to the nearest, halves away from zero; |a| < 2^52, 0 < b < 2^52. The remainder is
 * exact, so the quotient is, on every machine.
 */
export function divide(a: number, b: number): number {
  const sum = Math.abs(a) + Math.floor(b / 2);
  const quotient = (sum - (sum % b)) / b;
  return a < 0 ? -quotient : quotient;
}

/** Whole square root of a whole number below 2^53. `Math.sqrt` may be off by one on some machine; this is not. */
export function wholeRoot(n: number): number {
  let root = Math.floor(Math.sqrt(n));
  while (root * root > n) root -= 1;
  while ((root + 1) * (root + 1) <= n) root += 1;
  return root;
}
