import { type ChainModel, type Label, packCounts } from "./chain-model.ts";

const DIGITS = 32n;

/** Multinomial naive Bayes, smoothed by one, as `NaiveBayes`. */
export class NaiveBayes implements ChainModel {
  readonly rows: [bigint, bigint] = [0n, 0n];
  readonly #counts: [bigint, bigint][];
  readonly #totals: [bigint, bigint] = [0n, 0n];

  /** @param size Words of the vocabulary. */
  constructor(size: number) {
    this.#counts = Array.from({ length: size }, () => [0n, 0n]);
  }

  predict(words: readonly number[]): Label {
    return this.#score(1, words) > this.#score(0, words) ? 1 : 0;
  }

  update(words: readonly number[], label: Label): void {
    for (const word of words) this.#counts[word]![label] += 1n;
    this.rows[label] += 1n;
    this.#totals[label] += BigInt(words.length);
  }

  slots(): bigint[] {
    return this.#counts.map(packCounts);
  }

  /** What the other class would subtract is added to this one, as on the chain. */
  #score(label: Label, words: readonly number[]): bigint {
    const other = this.#totals[1 - label]! + BigInt(this.#counts.length);
    const own = words.reduce((sum, word) => sum + log2(this.#counts[word]![label] + 1n), 0n);
    return log2(this.rows[label] + 1n) + own + BigInt(words.length) * log2(other);
  }
}

/** The binary logarithm of `x` ≥ 1, times 2^32, rounded down digit by digit as the contract does. */
function log2(x: bigint): bigint {
  const high = BigInt(x.toString(2).length - 1);
  let result = high;
  let y = x << (127n - high);
  for (let i = 0n; i < DIGITS; i++) {
    y = (y * y) >> 127n;
    const digit = y >> 128n;
    y >>= digit;
    result = (result << 1n) | digit;
  }
  return result;
}
