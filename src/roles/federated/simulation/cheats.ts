import type { BadKind } from "../../../protocol/federated/job-file.ts";
import { Random } from "../data/random.ts";
import { type Actor, type TrainingTask, train } from "./provider.ts";

/** What a cheat may know: more than one could, so that a defence is tried at its worst. */
export interface Knowledge {
  readonly task: TrainingTask;
  /** Changes of the round's honest providers. */
  readonly honest: readonly Float64Array[];
  /** The last change of the model; absent in the first round. */
  readonly last?: Float64Array;
}

type Cheat = (actor: Actor, knowledge: Knowledge) => Float64Array | undefined;

/** The change that a cheat sends; undefined where nothing arrives in time. */
export const cheats: Readonly<Record<BadKind, Cheat>> = {
  sign: (actor, { task }) => scaled(train(task, actor.name, actor.rows), -1),
  sign5: (actor, { task }) => scaled(train(task, actor.name, actor.rows), -5),
  label: (actor, { task }) => {
    const { labels, classes } = task.samples;
    return train(task, actor.name, actor.rows, (row) => (labels[row]! + 1) % classes);
  },
  /** Baruch et al. 2019 (ALIE): the honest mean less 1.5 deviations, parameter by parameter. */
  alie: (_, { honest, task }) => {
    const mean = meanChange(honest, task.model.length);
    return mean.map((value, i) => {
      const square = honest.reduce((sum, change) => sum + (change[i]! - value) ** 2, 0);
      return value - 1.5 * Math.sqrt(square / Math.max(1, honest.length));
    });
  },
  /** Xie et al. 2019 (IPM): the honest mean, turned round. */
  ipm: (_, { honest, task }) => scaled(meanChange(honest, task.model.length), -1.05),
  replay: (_, { last, task }) => last ?? new Float64Array(task.model.length),
  /** A colleague's update with a tenth of its size in noise. */
  copy: (actor, { honest, task }) => {
    const source = honest[0] ?? new Float64Array(task.model.length);
    const size = Math.sqrt(source.reduce((sum, value) => sum + value * value, 0) / source.length);
    const random = new Random(`copy ${task.seed} ${task.round} ${actor.name}`);
    return source.map((value) => value + 0.1 * size * random.normal());
  },
  /** Trains on a tenth of its rows. */
  lazy: (actor, { task }) =>
    train(task, actor.name, actor.rows.subarray(0, Math.max(1, Math.ceil(actor.rows.length / 10)))),
  idle: (_, { task }) => new Float64Array(task.model.length),
  drop: () => undefined,
  late: () => undefined,
  garbage: () => undefined,
};

function scaled(change: Float64Array, factor: number): Float64Array {
  return change.map((value) => value * factor);
}

function meanChange(changes: readonly Float64Array[], length: number): Float64Array {
  const mean = new Float64Array(length);
  for (const change of changes) for (let i = 0; i < length; i++) mean[i]! += change[i]! / changes.length;
  return mean;
}
