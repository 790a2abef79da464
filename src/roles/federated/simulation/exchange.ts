import type { UpdateSource } from "../../../protocol/federated/codec/chunk.ts";
import { decodeUpdate } from "../../../protocol/federated/codec/update.ts";
import { Vector } from "../../../protocol/federated/vector.ts";
import { Random } from "../data/random.ts";
import type { TrainingTask } from "./provider.ts";
import { accuracyOfModel, type Hidden, millionths } from "./seats.ts";

/** What of their training providers send in a round, and how the next model follows from it. */
export interface Exchange {
  /** What an update changes: the model, or its scores of public rows. */
  readonly base: Vector;
  /** Turns a change of the weights into what is sent. */
  express(change: Float64Array): Float64Array;
  /** Accuracy of the base with an update, in millionths. */
  accuracyOf(update: UpdateSource, hidden: Hidden): number;
  /** The model, once the base has moved to `next`. */
  modelOf(next: Vector): Vector;
}

/** Providers send how the weights changed. */
export function exchangeOfWeights(task: TrainingTask, model: Vector): Exchange {
  return {
    base: model,
    express: (change) => change,
    accuracyOf: (update, hidden) => accuracyOfModel(task, update, hidden),
    modelOf: (next) => next,
  };
}

/**
 * Providers send how the scores of public rows changed; the next model is trained from the round's to give the combined
 * ones. Their accuracy is measured on the public rows, whose labels the requester alone knows.
 */
export function exchangeOfScores(task: TrainingTask, rows: Uint32Array, epochs: number): Exchange {
  const { samples, network, model, local, seed, round } = task;
  const { classes, labels } = samples;
  network.load(model);
  const base = Vector.fromNumbers(network.scoresOf(samples, rows));
  const before = base.toNumbers();
  return {
    base,
    express(change) {
      network.load(model.map((weight, i) => weight + change[i]!));
      return network.scoresOf(samples, rows).map((score, i) => score - before[i]!);
    },
    accuracyOf(update) {
      const scores = decodeUpdate(update).map((change, i) => before[i]! + change);
      const right = rows.filter((row, at) => {
        const own = scores.subarray(at * classes, (at + 1) * classes);
        return own.indexOf(Math.max(...own)) === labels[row];
      });
      return millionths(right.length / Math.max(1, rows.length));
    },
    modelOf(next) {
      network.load(model);
      network.distil(
        samples,
        rows,
        next.toNumbers(),
        { ...local, epochs },
        new Random(`${seed} ${round} distil`),
      );
      const change = network.changeSince(model);
      return Vector.fromNumbers(model.map((weight, i) => weight + change[i]!));
    },
  };
}
