import type { ChainModel, Label } from "./chain-model.ts";

const LANES = 4;
/** Fixed point, 9 decimals. */
const ONE = 1e9;

/** A perceptron over binary features, as `SparsePerceptron`; weights, bias and rate in 1e-9. */
export class SparsePerceptron implements ChainModel {
  readonly #weights: bigint[];
  readonly #rate: bigint;
  #bias: bigint;

  constructor(weights: readonly bigint[], bias: bigint, rate: bigint) {
    this.#weights = [...weights];
    this.#bias = bias;
    this.#rate = rate;
  }

  /** Of numbers as 0xDeCA10B's models have them, rounded to 1e-9. */
  static of(weights: readonly number[], intercept: number, rate: number): SparsePerceptron {
    const fixed = (value: number) => BigInt(Math.round(value * ONE));
    return new SparsePerceptron(weights.map(fixed), fixed(intercept), fixed(rate));
  }

  get bias(): bigint {
    return this.#bias;
  }

  predict(words: readonly number[]): Label {
    return words.reduce((sum, word) => sum + this.#weights[word]!, this.#bias) > 0n ? 1 : 0;
  }

  update(words: readonly number[], label: Label): void {
    if (this.predict(words) === label) return;
    const change = label === 1 ? this.#rate : -this.#rate;
    this.#bias += change;
    for (const word of words) this.#weights[word]! += change;
  }

  slots(): bigint[] {
    const slots: bigint[] = [];
    for (let i = 0; i < this.#weights.length; i += LANES) {
      const lanes = this.#weights.slice(i, i + LANES);
      slots.push(lanes.reduceRight((slot, weight) => (slot << 64n) | BigInt.asUintN(64, weight), 0n));
    }
    return slots;
  }
}
