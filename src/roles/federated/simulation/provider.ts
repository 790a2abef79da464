import { createHash } from "node:crypto";
import type { BadKind, FederatedFile } from "../../../protocol/federated/job-file.ts";
import type { Vector } from "../../../protocol/federated/vector.ts";
import type { Address } from "../../../protocol/ids.ts";
import { Random } from "../data/random.ts";
import type { Samples } from "../data/samples.ts";
import { type Encoded, encode } from "../encode.ts";
import { noiseCommitment, noiseSeed, withNoise } from "../privacy/noise.ts";
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
  readonly residual?: Vector;
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

/** An honest provider's update: its change, clipped and with noise where the job asks for it, and the seed's commitment. */
export function sendChange(
  change: Float64Array,
  { name, residual }: Actor,
  { seed, round }: TrainingTask,
  { update, privacy }: FederatedFile,
): Encoded {
  if (privacy === undefined) return encode(change, update, residual);
  const secret = createHash("sha256").update(`ichain simulation: secret of ${name}`).digest();
  const own = noiseSeed(secret, seed, round);
  const state = privacy.noise === 0 ? undefined : noiseCommitment(own);
  return encode(withNoise(change, privacy, own), update, residual, state);
}
