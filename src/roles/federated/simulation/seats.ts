import type { UpdateSource } from "../../../protocol/federated/codec/chunk.ts";
import { decodeUpdate } from "../../../protocol/federated/codec/update.ts";
import type { Gains } from "../../../protocol/federated/strategy.ts";
import { Random } from "../data/random.ts";
import type { TrainingTask } from "./provider.ts";

/** Rows of its own part, and of all others' together, that an update is measured on. */
const OWN = 200;
const OTHERS = 225;
const MILLION = 1e6;

/** A provider's part, and its update of the round. */
export interface MeasuredUpdate {
  readonly rows: Uint32Array;
  readonly update: UpdateSource;
}

/** Gains in loss of each update, on rows of its own part and on rows of the others', drawn for the round. */
export function gainsOf(task: TrainingTask, measured: readonly MeasuredUpdate[]): Gains[] {
  const random = new Random(`seats ${task.seed} ${task.round}`);
  const each = Math.ceil(OTHERS / Math.max(1, measured.length - 1));
  const own = measured.map(({ rows }) => random.shuffle(rows.slice()).subarray(0, OWN));
  const few = own.map((rows) => rows.subarray(0, each));
  const lossOf = (rows: Uint32Array) => task.network.measure(task.samples, rows).loss;
  task.network.load(task.model);
  const ownBefore = own.map(lossOf);
  const fewBefore = few.map(lossOf);
  return measured.map(({ update }, i) => {
    loadWith(task, update);
    const gain = ownBefore[i]! - lossOf(own[i]!);
    const others = few.flatMap((rows, j) =>
      j === i || rows.length === 0 ? [] : [fewBefore[j]! - lossOf(rows)],
    );
    const mean = others.reduce((sum, one) => sum + one, 0) / Math.max(1, others.length);
    return { own: millionths(gain), others: millionths(mean) };
  });
}

/** Accuracy of model + update on the hidden rows, in millionths. */
export function accuracyOfModel(task: TrainingTask, update: UpdateSource, hidden: Hidden): number {
  loadWith(task, update);
  return millionths(task.network.measure(hidden.samples, hidden.rows).accuracy);
}

/** Rows that no provider has. */
export interface Hidden {
  readonly samples: TrainingTask["samples"];
  readonly rows: Uint32Array;
}

function loadWith({ network, model }: TrainingTask, update: UpdateSource): void {
  const weights = decodeUpdate(update);
  for (let i = 0; i < weights.length; i++) weights[i]! += model[i]!;
  network.load(weights);
}

export function millionths(value: number): number {
  return Math.round(Math.max(-1e3, Math.min(1e3, value)) * MILLION);
}
