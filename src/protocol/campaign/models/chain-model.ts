/** A class: 0 or 1. */
export type Label = 0 | 1;

/**
 * A model of two classes that the chain holds, as `contracts/models/IChainModel.sol`: the same prediction, bit for bit.
 * Rows are the words of a vocabulary that occur in a text, as ascending numbers; see {@link wordsOf}.
 */
export interface ChainModel {
  predict(words: readonly number[]): Label;
  /** Teaches the model one row. */
  update(words: readonly number[], label: Label): void;
  /** The words of the chain's storage that hold the model, four or one of the vocabulary's each, for `load`. */
  slots(): bigint[];
}

/** Most words that the chain takes for a row. */
const MAX_WORDS = 64;

/** Words of a text: letters and digits of any script; an apostrophe ends one. */
const TOKEN = /[\p{L}\p{N}]+/gu;

/** The first words of a text that a vocabulary has, each once, as ascending numbers; at most 64. */
export function wordsOf(text: string, vocabulary: Pick<ReadonlyMap<string, number>, "get">): number[] {
  const found = new Set<number>();
  for (const [token] of text.toLowerCase().matchAll(TOKEN)) {
    const word = vocabulary.get(token);
    if (word !== undefined && found.size < MAX_WORDS) found.add(word);
  }
  return [...found].toSorted((a, b) => a - b);
}

/** Two counts of 64 bits in one slot, class 0 in the low half. */
export function packCounts([zero, one]: readonly [bigint, bigint]): bigint {
  return (one << 64n) | zero;
}
