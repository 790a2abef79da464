import { existsSync, readFileSync } from "node:fs";
import { SparsePerceptron } from "../../src/protocol/campaign/models/perceptron.ts";

/** The data that contributors have at hand (`shared/data`); tests that use it skip where it is absent. */
const FOLDER = new URL("../../../shared/data/", import.meta.url).pathname;

/** What a campaign.yaml names of them. */
export const reviewFiles = {
  negative: `${FOLDER}rt-polarity.neg`,
  positive: `${FOLDER}rt-polarity.pos`,
  vocabulary: `${FOLDER}imdb-vocabulary.json`,
  model: `${FOLDER}imdb-sentiment-model.json`,
};

/** `{ skip }` for tests that want the review sentences and the perceptron of 0xDeCA10B. */
export const withReviews = {
  skip: existsSync(reviewFiles.positive) ? false : `no review sentences in ${FOLDER}`,
};

/** The perceptron and the vocabulary that it was trained with. */
export function loadImdb(): { model: SparsePerceptron; vocabulary: ReadonlyMap<string, number> } {
  const { weights, intercept, learningRate } = JSON.parse(readFileSync(reviewFiles.model, "utf8"));
  const words: Record<string, number> = JSON.parse(readFileSync(reviewFiles.vocabulary, "utf8"));
  return {
    model: SparsePerceptron.of(weights, intercept, learningRate),
    vocabulary: new Map(Object.entries(words)),
  };
}

/** All sentences of one class. */
export function loadReviews(label: 0 | 1): string[] {
  return readFileSync(label === 1 ? reviewFiles.positive : reviewFiles.negative, "latin1")
    .trimEnd()
    .split("\n");
}
