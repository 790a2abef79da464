// One of an aggregation's threads: does what it is told, one task after the other.
import { createHash } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { isIchainError } from "../../../errors/error.ts";
import { type ModelStep, makeNext } from "../../../protocol/federated/aggregate.ts";
import type { ChunkRange } from "../../../protocol/federated/codec/chunk.ts";
import { updateDigest } from "../../../protocol/federated/digest.ts";
import { type ProductSums, sumProducts, type Wanted } from "../../../protocol/federated/statistics.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { ChunkFiles, piecesOf } from "./files.ts";

/** Files of a round; `updates` has the root update last, if there is one. */
export interface RoundPaths {
  readonly length: number;
  readonly updates: readonly string[];
  readonly model: string;
  readonly states: readonly string[];
  readonly next: string;
  readonly nextStates: readonly string[];
}

export type AggregationTask =
  | { readonly kind: "digest"; readonly path: string }
  | {
      readonly kind: "products";
      readonly files: RoundPaths;
      readonly wanted: Wanted;
      readonly range: ChunkRange;
    }
  | {
      readonly kind: "next";
      readonly files: RoundPaths;
      readonly step: ModelStep;
      readonly range: ChunkRange;
    };

/** What each kind of task ends in. */
export interface TaskResults {
  readonly digest: Hex;
  readonly products: ProductSums;
  readonly next: null;
}

export type TaskAnswer =
  | { readonly result: TaskResults[AggregationTask["kind"]] }
  | { readonly refused: { readonly code: string; readonly message: string } };

parentPort?.on("message", (task: AggregationTask) => {
  parentPort?.postMessage(answerTo(task));
});

function answerTo(task: AggregationTask): TaskAnswer {
  try {
    return { result: perform(task) };
  } catch (error) {
    if (!isIchainError(error)) throw error;
    return { refused: { code: error.code, message: error.message } };
  }
}

function perform(task: AggregationTask): TaskResults[AggregationTask["kind"]] {
  if (task.kind === "digest") return updateDigest(createHash("sha256"), piecesOf(task.path));
  using open = new ChunkFiles(task.range);
  const { length, updates, model, states, next, nextStates } = task.files;
  const sources = updates.map((path) => open.update(path, length));
  if (task.kind === "products") return sumProducts(sources, task.wanted, task.range);
  const vectors = {
    model: open.vector(model, length),
    states: states.map((path) => open.vector(path, length)),
    next: open.sink(next),
    nextStates: nextStates.map((path) => open.sink(path)),
  };
  makeNext(task.step, sources, vectors, task.range);
  open.flush();
  return null;
}
