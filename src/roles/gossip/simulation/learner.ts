import type { AttackKind, GossipSimulationFile } from "../../../protocol/gossip/simulation-file.ts";
import type { Random } from "../../federated/data/random.ts";
import type { Samples } from "../../federated/data/samples.ts";
import type { Trainable } from "./lenet/lenet.ts";
import { drawRows } from "./stream.ts";

/** What all learners of a simulation share. */
export interface LearnerWorld {
  readonly network: Trainable;
  readonly samples: Samples;
  readonly byLabel: readonly Uint32Array[];
  /** What a data attacker trains on. */
  readonly noise: Samples;
  readonly optimiser: GossipSimulationFile["simulation"]["optimiser"];
  readonly batch: number;
}

/** Largest weight of a model attacker's models: the paper's, which keeps its network from overflowing. */
const RANDOM_WEIGHT = 0.001;
const BIAS = 0.1;
/** Deviation of what `perturbed` and `replayed` add to each weight: about what a training changes. */
const NOISE = 0.001;
/** Received models of which a thief takes the one that it measured best. */
const CHOICE = 4;
/** How often `duplicate` sends each model. */
const COPIES = 4;

/** A node's model, and how it learns, or pretends to. */
export class Learner {
  readonly weights: Float32Array;
  readonly attack: AttackKind | undefined;
  readonly #velocity: Float32Array;
  readonly #shares: readonly number[];
  readonly #random: Random;
  #trainings = 0;
  /** The last received models, for those that live on others'. */
  #seen: { readonly weights: Float32Array; readonly accuracy: number }[] = [];
  #first: Float32Array | undefined;

  constructor(
    first: Float32Array,
    { shares, attack, random }: { shares: readonly number[]; attack: AttackKind | undefined; random: Random },
  ) {
    this.weights = first.slice();
    this.attack = attack;
    this.#velocity = new Float32Array(first.length);
    this.#shares = shares;
    this.#random = random;
  }

  get trainings(): number {
    return this.#trainings;
  }

  /** One step of descent with momentum and decay on a batch of new samples. */
  train({ network, samples, byLabel, noise, optimiser, batch }: LearnerWorld): void {
    const { lr, gamma, power, momentum, decay } = optimiser;
    const random = this.#random;
    const rate = lr * (1 + gamma * this.#trainings) ** -power;
    const { labels, classes } = samples;
    const local = { epochs: 1, batch, lr: rate, schedule: "constant", prox: 0 } as const;
    network.load(this.weights);
    if (this.attack === "data") {
      const rows = Uint32Array.from({ length: batch }, () => random.below(noise.labels.length));
      network.train(noise, rows, local, random);
    } else {
      const rows = drawRows(batch, this.#shares, byLabel, random);
      network.train(samples, rows, local, random, (row) => {
        if (this.attack === "shuffled-label") return random.below(classes);
        return this.attack === "label+1" ? (labels[row]! + 1) % classes : labels[row]!;
      });
    }
    this.#trainings += 1;
    if (this.attack === "averaged") return;
    const stepped = new Float32Array(this.weights.length);
    network.copyTo(stepped);
    const [weights, velocity] = [this.weights, this.#velocity];
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i]!;
      velocity[i] = momentum * velocity[i]! + (stepped[i]! - weight) - rate * decay * weight;
      weights[i] = weight + velocity[i]!;
    }
  }

  /** A received model, as this node measured it. */
  see(weights: Float32Array, accuracy: number): void {
    this.#seen = [...this.#seen, { weights, accuracy }].slice(-CHOICE);
  }

  /** The models that it shows after a training. */
  models(): Float32Array[] {
    const random = this.#random;
    const made = () => this.weights.map(() => RANDOM_WEIGHT * random.uniform());
    const best = this.#seen.toSorted((a, b) => b.accuracy - a.accuracy)[0]?.weights ?? this.weights;
    const noisy = (weights: Float32Array) => weights.map((weight) => weight + NOISE * random.normal());
    switch (this.attack) {
      case "model":
        return [made()];
      case "alternate-turn":
        return [this.#trainings % 2 === 0 ? made() : this.weights.slice()];
      case "biased":
        return [this.weights.map((weight) => weight + BIAS * random.uniform())];
      case "stolen":
        return [best.slice()];
      case "perturbed":
        return [noisy(best)];
      case "replayed":
        this.#first ??= this.weights.slice();
        return [noisy(this.#first)];
      case "duplicate":
        return Array<Float32Array>(COPIES).fill(this.weights.slice());
      default:
        return [this.weights.slice()];
    }
  }

  /** Euclidean. */
  distanceTo(weights: Float32Array): number {
    let sum = 0;
    for (let i = 0; i < weights.length; i++) sum += (weights[i]! - this.weights[i]!) ** 2;
    return Math.sqrt(sum);
  }

  /** Makes the model that averaging gives. */
  take(own: number, parts: readonly { readonly share: number; readonly weights: Float32Array }[]): void {
    const next = this.weights;
    for (let i = 0; i < next.length; i++) next[i]! *= own;
    for (const { share, weights } of parts) {
      if (share > 0) for (let i = 0; i < next.length; i++) next[i]! += share * weights[i]!;
    }
  }
}
