import { encodeInt8 } from "../../../protocol/federated/codec/int8.ts";
import { encodeTopk } from "../../../protocol/federated/codec/topk.ts";
import type { BadKind, FederatedFile } from "../../../protocol/federated/job-file.ts";
import type { Address } from "../../../protocol/ids.ts";
import { Random } from "../data/random.ts";
import type { Samples } from "../data/samples.ts";
import type { Local, Network } from "./network.ts";

/** A provider of a simulation. */
export interface Actor {
  readonly account: Address;
  /** Seeds its training, with the job's seed and the round. */
  readonly name: string;
  /** Absent: honest. */
  readonly bad?: BadKind;
  /** Rows of its part. */
  readonly rows: Uint32Array;
  /** What its top-k updates have not said yet. */
  readonly residual?: Float64Array;
}

/** What every training of a round starts from. */
export interface TrainingTask {
  readonly samples: Samples;
  readonly network: Network;
  readonly local: Local;
  readonly model: Float64Array;
  /** Seed of the job; with round and name the seed of a training. */
  readonly seed: string;
  readonly round: number;
}

/** Trains one round on `rows` from the round's model; gives the change. The same seed gives the same change. */
export function train(
  { samples, network, local, model, seed, round }: TrainingTask,
  name: string,
  rows: Uint32Array,
  labelOf?: (row: number) => number,
): Float64Array {
  network.load(model);
  network.train(samples, rows, local, new Random(`${seed} ${round} ${name}`), labelOf);
  return network.changeSince(model);
}

/** Encodes a change as the job asks; with top-k, what is not sent is left in a new residual. */
export function encode(
  change: Float64Array,
  update: FederatedFile["update"],
  residual?: Float64Array,
): { readonly bytes: Uint8Array; readonly residual?: Float64Array } {
  if (update === "int8") return { bytes: encodeInt8(change) };
  const rest = residual === undefined ? change.slice() : change.map((value, i) => value + residual[i]!);
  return { bytes: encodeTopk(rest, Math.round(update.topk * 1000), new Uint8Array(32)), residual: rest };
}
