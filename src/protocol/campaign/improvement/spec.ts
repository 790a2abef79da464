import { AbiCoder, keccak256, toUtf8Bytes } from "ethers";
import type { Address, Hex } from "../../ids.ts";
import { NaiveBayes } from "../models/bayes.ts";
import { NearestCentroid } from "../models/centroid.ts";
import { type ChainModel, type Label, wordsOf } from "../models/chain-model.ts";
import type { LabelledRow } from "../models/improvement.ts";
import { SparsePerceptron } from "../models/perceptron.ts";
import { replayModels } from "./replay-models.ts";

/** How many numbers the words of a replay's model get. */
export const replayWords = [256, 1024, 4096, 16_384, 65_536] as const;

/**
 * How a market is replayed. A row is a label, 0 or 1, a tab and a text; a word's number is the beginning of its keccak256,
 * modulo `words`, so that no vocabulary must be shared. The model begins with what the slice teaches that was shown first.
 */
export interface ReplaySpec {
  readonly model: (typeof replayModels)[number];
  readonly words: (typeof replayWords)[number];
}

/** Of a perceptron that learns from nothing. */
const RATE = 0.5;

/** What terms hold of a spec. There are few of them: who knows the hash finds which it is. */
export function specHashOf({ model, words }: ReplaySpec): Hex {
  return keccak256(toUtf8Bytes(`ichain improvement 1: ${model}, ${words} words`)) as Hex;
}

/** The spec with this hash; undefined where it is none of those that this release can replay. */
export function replaySpecOf(hash: Hex): ReplaySpec | undefined {
  const all = replayModels.flatMap((model) => replayWords.map((words) => ({ model, words })));
  return all.find((spec) => specHashOf(spec) === hash);
}

/** The model of a spec, having learnt nothing. */
export function emptyModel({ model, words }: ReplaySpec): ChainModel {
  if (model === "bayes") return new NaiveBayes(words);
  if (model === "centroid") return new NearestCentroid(words);
  return SparsePerceptron.of(Array<number>(words).fill(0), 0, RATE);
}

/** Reads rows as a spec has them; one that is not a label, a tab and a text is left out. */
export function rowReader({ words }: ReplaySpec): (rows: readonly string[]) => LabelledRow[] {
  const known = new Map<string, number>();
  const numbers = {
    get(token: string): number {
      const found = known.get(token);
      if (found !== undefined) return found;
      const number = Number(BigInt(keccak256(toUtf8Bytes(token)).slice(0, 10)) % BigInt(words));
      known.set(token, number);
      return number;
    },
  };
  return (rows) =>
    rows.flatMap((row) => {
      const [, label, text] = /^([01])\t(.+)$/.exec(row) ?? [];
      if (label === undefined || text === undefined) return [];
      return [{ words: wordsOf(text, numbers), label: Number(label) as Label }];
    });
}

/** What a member of a panel commits to: `rootCommitmentOf` of the contract. */
export function rootCommitment(campaign: Hex, member: Address, root: Hex, salt: Hex): Hex {
  const types = ["bytes32", "address", "bytes32", "bytes32"];
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, [campaign, member, root, salt])) as Hex;
}
