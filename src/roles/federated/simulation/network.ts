import type { Layout } from "../../../protocol/federated/digest.ts";
import { exp, log } from "../../../protocol/federated/elementary.ts";
import type { Random } from "../data/random.ts";
import type { Samples } from "../data/samples.ts";
import { type Accumulate, openKernel } from "./kernel.ts";

/** A perceptron with one hidden layer of rectified units, in one vector: W1 (a row a feature), b1, W2, b2. */
export interface Shape {
  readonly features: number;
  /** A multiple of 16. */
  readonly hidden: number;
  readonly classes: number;
}

export function parametersOf({ features, hidden, classes }: Shape): number {
  return features * hidden + hidden + hidden * classes + classes;
}

/** What the vector of weights holds, by name. */
export function layoutOf({ features, hidden, classes }: Shape): Layout {
  return [
    { name: "1.hidden.weight", shape: [features, hidden] },
    { name: "2.hidden.bias", shape: [hidden] },
    { name: "3.output.weight", shape: [hidden, classes] },
    { name: "4.output.bias", shape: [classes] },
  ];
}

/** First weights: normal with deviation √(2 / inputs) (He et al. 2015), biases 0. */
export function firstWeights(shape: Shape, random: Random): Float64Array {
  const { features, hidden, classes } = shape;
  const weights = new Float64Array(parametersOf(shape));
  const first = features * hidden;
  for (let i = 0; i < first; i++) weights[i] = random.normal() * Math.sqrt(2 / features);
  for (let i = 0; i < hidden * classes; i++) {
    weights[first + hidden + i] = random.normal() * Math.sqrt(2 / hidden);
  }
  return weights;
}

/** How a provider trains in a round. */
export interface Local {
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  /** `linear`: the rate falls to 0 over the round, so that what is sent is no snapshot of a restless walk. */
  readonly schedule: "constant" | "linear";
  /** FedProx's pull towards the round's model. */
  readonly prox: number;
}

/** The network at work, in 32-bit numbers; one is used for one vector of weights after the other. */
export class Network {
  readonly #shape: Shape;
  readonly #accumulate: Accumulate;
  readonly #weights: Float32Array;
  readonly #w1: Float32Array;
  readonly #b1: Float32Array;
  readonly #w2: Float32Array;
  readonly #b2: Float32Array;
  /** Rectified units and, behind them, deltas of each row of a batch; a row of width `hidden` each. */
  readonly #units: Float32Array;
  readonly #deltas: Float32Array;
  /** Terms of a sum: where a row begins, in bytes from its matrix, and its factor. */
  readonly #offsets: Uint32Array;
  readonly #factors: Float32Array;
  readonly #scores: Float64Array;
  readonly #ends: Uint32Array;

  /** `batch`: most rows of an inner step. */
  constructor(shape: Shape, batch: number) {
    const { features, hidden, classes } = shape;
    const terms = features * batch;
    const sizes = [parametersOf(shape), batch * hidden, batch * hidden, terms, terms];
    const { buffer, accumulate } = openKernel(4 * sizes.reduce((sum, size) => sum + size, 0));
    let at = 0;
    const place = (size: number) => {
      at += 4 * size;
      return at - 4 * size;
    };
    this.#weights = new Float32Array(buffer, place(sizes[0]!), sizes[0]);
    this.#units = new Float32Array(buffer, place(sizes[1]!), sizes[1]);
    this.#deltas = new Float32Array(buffer, place(sizes[2]!), sizes[2]);
    this.#offsets = new Uint32Array(buffer, place(terms), terms);
    this.#factors = new Float32Array(buffer, place(terms), terms);
    const [first, second] = [features * hidden, features * hidden + hidden];
    this.#w1 = this.#weights.subarray(0, first);
    this.#b1 = this.#weights.subarray(first, second);
    this.#w2 = this.#weights.subarray(second, second + hidden * classes);
    this.#b2 = this.#weights.subarray(second + hidden * classes);
    this.#scores = new Float64Array(classes);
    this.#ends = new Uint32Array(features + 1);
    this.#shape = shape;
    this.#accumulate = accumulate;
  }

  load(weights: ArrayLike<number>): void {
    this.#weights.set(weights);
  }

  copyTo(weights: Float32Array): void {
    weights.set(this.#weights);
  }

  /** The weights' change since `start` was loaded. */
  changeSince(start: Float64Array): Float64Array {
    return start.map((value, i) => this.#weights[i]! - Math.fround(value));
  }

  /** Stochastic gradient descent over `rows`, in place; `labelOf` lets a cheat train on other labels. */
  train(
    samples: Samples,
    rows: Uint32Array,
    local: Local,
    random: Random,
    labelOf: (row: number) => number = (row) => samples.labels[row]!,
  ): void {
    this.#descend(samples, rows, local, random, (at) => {
      this.#scores[labelOf(rows[at]!)]! -= 1;
    });
  }

  /** Descent towards the probabilities that `scores` stand for (a value a row and class), not towards labels. */
  distil(samples: Samples, rows: Uint32Array, scores: Float64Array, local: Local, random: Random): void {
    const { classes } = this.#shape;
    const wanted = scores.slice();
    for (let at = 0; at < rows.length; at++) softmax(wanted.subarray(at * classes, (at + 1) * classes));
    this.#descend(samples, rows, local, random, (at) => {
      for (let k = 0; k < classes; k++) this.#scores[k]! -= wanted[at * classes + k]!;
    });
  }

  /** Scores (logits) of `rows`, a value a row and class. */
  scoresOf(samples: Samples, rows: Uint32Array): Float64Array {
    const { classes } = this.#shape;
    const scores = new Float64Array(rows.length * classes);
    for (let at = 0; at < rows.length; at++) {
      this.#forward(samples, rows[at]!, 0);
      scores.set(this.#scores, at * classes);
    }
    return scores;
  }

  /** `subtract` takes from the probabilities of the row at a place of `rows` those that are wanted. */
  #descend(
    samples: Samples,
    rows: Uint32Array,
    { epochs, batch, lr, schedule, prox }: Local,
    random: Random,
    subtract: (at: number) => void,
  ): void {
    const start = prox > 0 ? this.#weights.slice() : undefined;
    const order = Uint32Array.from(rows.keys());
    const errors = new Float64Array(batch * this.#shape.classes);
    for (let epoch = 0; epoch < epochs; epoch++) {
      random.shuffle(order);
      for (let from = 0; from < order.length; from += batch) {
        const places = order.subarray(from, from + batch);
        for (const [slot, at] of places.entries()) {
          this.#forward(samples, rows[at]!, slot);
          softmax(this.#scores);
          subtract(at);
          errors.set(this.#scores, slot * this.#shape.classes);
          this.#backward(slot);
        }
        const done = (epoch + from / order.length) / epochs;
        const rate = schedule === "linear" ? lr * (1 - done) : lr;
        if (start !== undefined) this.#pull(start, rate * prox);
        this.#descendUpper(places.length, rate / places.length, errors);
        const own = places.map((at) => rows[at]!);
        this.#descendLower(samples, own, rate / places.length);
      }
    }
  }

  /** Mean loss (nats) and share of right answers over `rows`. */
  measure(samples: Samples, rows: Uint32Array): { readonly loss: number; readonly accuracy: number } {
    const scores = this.#scores;
    let [loss, right] = [0, 0];
    for (let i = 0; i < rows.length; i++) {
      const label = samples.labels[rows[i]!]!;
      this.#forward(samples, rows[i]!, 0);
      let best = 0;
      for (let k = 1; k < scores.length; k++) if (scores[k]! > scores[best]!) best = k;
      if (best === label) right += 1;
      softmax(scores);
      loss -= log(Math.max(scores[label]!, 1e-12));
    }
    return { loss: loss / Math.max(1, rows.length), accuracy: right / Math.max(1, rows.length) };
  }

  /** Scores of a row, in `#scores`; its rectified units, in the row `slot` of `#units`. */
  #forward({ starts, places, values }: Samples, row: number, slot: number): void {
    const { hidden, classes } = this.#shape;
    const [w2, scores, units, offsets, factors] = [
      this.#w2,
      this.#scores,
      this.#units,
      this.#offsets,
      this.#factors,
    ];
    const [start, count] = [starts[row]!, starts[row + 1]! - starts[row]!];
    for (let i = 0; i < count; i++) {
      offsets[i] = places[start + i]! * hidden * 4;
      factors[i] = values[start + i]!;
    }
    const base = slot * hidden;
    units.set(this.#b1, base);
    if (count > 0) this.#sum(units.byteOffset + base * 4, this.#w1, 0, count);
    scores.set(this.#b2);
    for (let j = 0; j < hidden; j++) {
      const unit = units[base + j]!;
      if (unit <= 0) units[base + j] = 0;
      else for (let k = 0; k < classes; k++) scores[k]! += unit * w2[j * classes + k]!;
    }
  }

  /** target += Σ factor · row of `matrix`, over the terms `[from, from + count)`. */
  #sum(target: number, matrix: Float32Array, from: number, count: number): void {
    const [offsets, factors] = [this.#offsets.byteOffset + from * 4, this.#factors.byteOffset + from * 4];
    this.#accumulate(target, matrix.byteOffset, offsets, factors, count * 4, this.#shape.hidden * 4);
  }

  /** From the errors in `#scores` those of the hidden units, in the row `slot` of `#deltas`. */
  #backward(slot: number): void {
    const { hidden, classes } = this.#shape;
    const [w2, scores, units, deltas] = [this.#w2, this.#scores, this.#units, this.#deltas];
    for (let j = 0, at = slot * hidden; j < hidden; j++, at++) {
      let sum = 0;
      if (units[at]! > 0) for (let k = 0; k < classes; k++) sum += scores[k]! * w2[j * classes + k]!;
      deltas[at] = sum;
    }
  }

  /** Moves everything but the first layer's weights. */
  #descendUpper(count: number, rate: number, errors: Float64Array): void {
    const { hidden, classes } = this.#shape;
    const [b1, w2, b2, units, deltas] = [this.#b1, this.#w2, this.#b2, this.#units, this.#deltas];
    for (let slot = 0; slot < count; slot++) {
      const at = slot * classes;
      for (let j = 0; j < hidden; j++) {
        const unit = units[slot * hidden + j]! * rate;
        if (unit > 0) for (let k = 0; k < classes; k++) w2[j * classes + k]! -= unit * errors[at + k]!;
        b1[j]! -= rate * deltas[slot * hidden + j]!;
      }
      for (let k = 0; k < classes; k++) b2[k]! -= rate * errors[at + k]!;
    }
  }

  /** Sorts the batch's entries by feature, then moves the weights of each feature by all its rows at once. */
  #descendLower({ starts, places, values }: Samples, rows: Uint32Array, rate: number): void {
    const { hidden } = this.#shape;
    const [offsets, factors, ends] = [this.#offsets, this.#factors, this.#ends.fill(0)];
    for (let slot = 0; slot < rows.length; slot++) {
      const row = rows[slot]!;
      for (let at = starts[row]!; at < starts[row + 1]!; at++) ends[places[at]! + 1]! += 1;
    }
    for (let place = 1; place < ends.length; place++) ends[place]! += ends[place - 1]!;
    for (let slot = 0; slot < rows.length; slot++) {
      const row = rows[slot]!;
      for (let at = starts[row]!; at < starts[row + 1]!; at++) {
        const to = ends[places[at]!]!++;
        offsets[to] = slot * hidden * 4;
        factors[to] = -rate * values[at]!;
      }
    }
    for (let place = 0, from = 0; place < ends.length - 1; place++) {
      const count = ends[place]! - from;
      if (count > 0) this.#sum(this.#w1.byteOffset + place * hidden * 4, this.#deltas, from, count);
      from += count;
    }
  }

  #pull(start: Float32Array, strength: number): void {
    const weights = this.#weights;
    for (let i = 0; i < weights.length; i++) weights[i]! -= strength * (weights[i]! - start[i]!);
  }
}

/** Turns scores into probabilities, in place. */
function softmax(scores: Float64Array): void {
  let most = scores[0]!;
  for (let k = 1; k < scores.length; k++) if (scores[k]! > most) most = scores[k]!;
  let sum = 0;
  for (let k = 0; k < scores.length; k++) sum += scores[k] = exp(scores[k]! - most);
  for (let k = 0; k < scores.length; k++) scores[k]! /= sum;
}
