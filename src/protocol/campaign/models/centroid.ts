import { type ChainModel, type Label, packCounts } from "./chain-model.ts";

/**
 * The class whose mean row is nearer, as `NearestCentroid`. A class is the number of its rows and, for each word, in how
 * many of them it is.
 */
export class NearestCentroid implements ChainModel {
  readonly rows: [bigint, bigint] = [0n, 0n];
  readonly #counts: [bigint, bigint][];
  readonly #squares: [bigint, bigint] = [0n, 0n];

  /** @param size Words of the vocabulary. */
  constructor(size: number) {
    this.#counts = Array.from({ length: size }, () => [0n, 0n]);
  }

  predict(words: readonly number[]): Label {
    const [zero, one] = this.rows;
    if (one === 0n) return 0;
    if (zero === 0n) return 1;
    return this.#distance(1, words) * zero ** 2n < this.#distance(0, words) * one ** 2n ? 1 : 0;
  }

  update(words: readonly number[], label: Label): void {
    for (const word of words) {
      const counts = this.#counts[word]!;
      this.#squares[label] += 2n * counts[label] + 1n;
      counts[label] += 1n;
    }
    this.rows[label] += 1n;
  }

  slots(): bigint[] {
    return this.#counts.map(packCounts);
  }

  /** Squared, times the square of the class's rows, without the row's own length, which both have. */
  #distance(label: Label, words: readonly number[]): bigint {
    const sum = words.reduce((total, word) => total + this.#counts[word]![label], 0n);
    return this.#squares[label] - 2n * this.rows[label] * sum;
  }
}
