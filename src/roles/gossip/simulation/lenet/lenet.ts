import { exp, log } from "../../../../protocol/federated/elementary.ts";
import type { Random } from "../../../federated/data/random.ts";
import type { Samples } from "../../../federated/data/samples.ts";
import { type Accumulate, openKernel } from "../../../federated/simulation/kernel.ts";
import type { Local, Network } from "../../../federated/simulation/network.ts";

import {
  CONV1,
  CONV2,
  FIELD,
  FLAT,
  LENET_FEATURES,
  type LenetHead,
  lenetLayout,
  MAPS,
  POOL1,
  SIDE,
  tensorsIn,
} from "./layout.ts";
import { Pooled } from "./pooled.ts";

/** What a simulation trains and measures: a perceptron, or LeNet. */
export type Trainable = Pick<Network, "load" | "copyTo" | "train" | "measure">;

/**
 * LeNet with rectified, pooled convolutions (28² → 24² → 12² → 8² → 4², 5 by 5, no borders), one dense layer and an output,
 * in 32-bit numbers, on the kernel of the perceptron: places side by side, maps within them.
 */
export class LeNet implements Trainable {
  readonly #head: LenetHead;
  readonly #accumulate: Accumulate;
  readonly #weights: Float32Array;
  readonly #gradient: Float32Array;
  readonly #layers: readonly Float32Array[];
  readonly #slopes: readonly Float32Array[];
  readonly #maps1: Float32Array;
  readonly #maps2: Float32Array;
  readonly #images: readonly Float32Array[];
  readonly #pooled1: readonly Pooled[];
  readonly #pooled2: readonly Pooled[];
  readonly #errors1: readonly Float32Array[];
  readonly #errors2: readonly Float32Array[];
  readonly #units: readonly Float32Array[];
  readonly #deltas: readonly Float32Array[];
  readonly #offsets: Uint32Array;
  readonly #factors: Float32Array;
  readonly #scores: Float64Array;

  /** `batch`: most rows of a step. */
  constructor(head: LenetHead, batch: number) {
    const layout = lenetLayout(head);
    const size = layout.reduce((sum, { shape }) => sum + shape.reduce((product, one) => product * one, 1), 0);
    const [places1, places2] = [CONV1 * CONV1 * MAPS, CONV2 * CONV2 * MAPS];
    const row = LENET_FEATURES + POOL1 * POOL1 * MAPS + FLAT + places1 + places2 + 2 * head.hidden;
    const terms = batch * CONV1 * CONV1;
    const { buffer, accumulate } = openKernel(4 * (2 * size + places1 + places2 + batch * row + 2 * terms));
    let at = 0;
    const take = (count: number) => {
      at += 4 * count;
      return new Float32Array(buffer, at - 4 * count, count);
    };
    const each = (count: number) => Array.from({ length: batch }, () => take(count));
    this.#head = head;
    this.#accumulate = accumulate;
    [this.#weights, this.#gradient] = [take(size), take(size)];
    [this.#layers, this.#slopes] = [tensorsIn(this.#weights, layout), tensorsIn(this.#gradient, layout)];
    [this.#maps1, this.#maps2] = [take(places1), take(places2)];
    this.#images = each(LENET_FEATURES);
    this.#pooled1 = each(POOL1 * POOL1 * MAPS).map((values) => new Pooled(values));
    this.#pooled2 = each(FLAT).map((values) => new Pooled(values));
    [this.#errors1, this.#errors2] = [each(places1), each(places2)];
    [this.#units, this.#deltas] = [each(head.hidden), each(head.hidden)];
    this.#factors = take(terms);
    this.#offsets = new Uint32Array(buffer, at, terms);
    this.#scores = new Float64Array(head.classes);
  }

  load(weights: ArrayLike<number>): void {
    this.#weights.set(weights);
  }

  copyTo(weights: Float32Array): void {
    weights.set(this.#weights);
  }

  /** One step of descent over all `rows`, in place. */
  train(
    samples: Samples,
    rows: Uint32Array,
    { lr }: Local,
    _random: Random,
    labelOf: (row: number) => number = (row) => samples.labels[row]!,
  ): void {
    this.#gradient.fill(0);
    for (const [slot, row] of rows.entries()) {
      this.#forward(samples, row, slot);
      softmax(this.#scores);
      this.#scores[labelOf(row)]! -= 1;
      this.#backward(slot);
    }
    this.#sumDense(rows.length);
    this.#sumTaps(this.#slopes[2]!, rows.length, {
      ...{ inputs: this.#pooled1.map(({ values }) => values), side: POOL1, maps: MAPS },
      ...{ errors: this.#errors2, places: CONV2 },
    });
    this.#sumTaps(this.#slopes[0]!, rows.length, {
      ...{ inputs: this.#images, side: SIDE, maps: 1 },
      ...{ errors: this.#errors1, places: CONV1 },
    });
    const rate = lr / rows.length;
    const [weights, gradient] = [this.#weights, this.#gradient];
    for (let i = 0; i < weights.length; i++) weights[i]! -= rate * gradient[i]!;
  }

  /** Mean loss (nats) and share of right answers over `rows`. */
  measure(samples: Samples, rows: Uint32Array): { readonly loss: number; readonly accuracy: number } {
    const scores = this.#scores;
    let [loss, right] = [0, 0];
    for (const row of rows) {
      this.#forward(samples, row, 0);
      const label = samples.labels[row]!;
      if (scores.indexOf(Math.max(...scores)) === label) right += 1;
      softmax(scores);
      loss -= log(Math.max(scores[label]!, 1e-12));
    }
    return { loss: loss / Math.max(1, rows.length), accuracy: right / Math.max(1, rows.length) };
  }

  #forward({ starts, places, values }: Samples, row: number, slot: number): void {
    const [conv1, bias1, conv2, bias2, hidden, bias3, output, bias4] = this.#layers as [
      ...[Float32Array, Float32Array, Float32Array, Float32Array],
      ...[Float32Array, Float32Array, Float32Array, Float32Array],
    ];
    const image = this.#images[slot]!.fill(0);
    for (let i = starts[row]!; i < starts[row + 1]!; i++) image[places[i]!] = values[i]!;
    const [first, second] = [this.#pooled1[slot]!, this.#pooled2[slot]!];
    this.#convolve(this.#maps1, conv1, bias1, { input: image, side: SIDE, maps: 1, places: CONV1 });
    first.take(this.#maps1, CONV1);
    const input = { input: first.values, side: POOL1, maps: MAPS, places: CONV2 };
    this.#convolve(this.#maps2, conv2, bias2, input);
    second.take(this.#maps2, CONV2);
    const units = this.#units[slot]!;
    units.set(bias3);
    let count = 0;
    for (let i = 0; i < FLAT; i++) count = this.#term(count, 4 * i * units.length, second.values[i]!);
    this.#sum(units, hidden, count, units.length);
    const [scores, { classes }] = [this.#scores, this.#head];
    scores.set(bias4);
    for (let j = 0; j < units.length; j++) {
      const unit = units[j]!;
      if (unit <= 0) units[j] = 0;
      else for (let k = 0; k < classes; k++) scores[k]! += unit * output[j * classes + k]!;
    }
  }

  #convolve(
    into: Float32Array,
    weights: Float32Array,
    bias: Float32Array,
    { input, side, maps, places }: { input: Float32Array; side: number; maps: number; places: number },
  ): void {
    for (let y = 0, place = 0; y < places; y++) {
      for (let x = 0; x < places; x++, place++) {
        let count = 0;
        for (let dy = 0; dy < FIELD; dy++) {
          const from = ((y + dy) * side + x) * maps;
          const tap = dy * FIELD * maps;
          for (let i = 0; i < FIELD * maps; i++) {
            count = this.#term(count, 4 * MAPS * (tap + i), input[from + i]!);
          }
        }
        const target = into.subarray(place * MAPS, (place + 1) * MAPS);
        target.set(bias);
        this.#sum(target, weights, count, MAPS);
      }
    }
  }

  /** From the errors in `#scores` those of every place, and the gradient of what needs no sum over the batch. */
  #backward(slot: number): void {
    const [scores, { classes }] = [this.#scores, this.#head];
    const [hidden, output] = [this.#layers[4]!, this.#layers[6]!];
    const [bias3, slope4, bias4] = [this.#slopes[5]!, this.#slopes[6]!, this.#slopes[7]!];
    const [units, deltas] = [this.#units[slot]!, this.#deltas[slot]!];
    for (let k = 0; k < classes; k++) bias4[k]! += scores[k]!;
    for (let j = 0; j < units.length; j++) {
      let sum = 0;
      if (units[j]! > 0) {
        for (let k = 0; k < classes; k++) {
          sum += scores[k]! * output[j * classes + k]!;
          slope4[j * classes + k]! += units[j]! * scores[k]!;
        }
      }
      deltas[j] = sum;
      bias3[j]! += sum;
    }
    const flat = new Float32Array(FLAT);
    for (let i = 0; i < FLAT; i++) {
      let sum = 0;
      for (let j = 0; j < deltas.length; j++) sum += deltas[j]! * hidden[i * deltas.length + j]!;
      flat[i] = sum;
    }
    const [errors1, errors2] = [this.#errors1[slot]!, this.#errors2[slot]!];
    this.#pooled2[slot]!.giveBack(flat, errors2);
    this.#pooled1[slot]!.giveBack(this.#through(errors2), errors1);
    for (const [errors, bias] of [
      [errors1, this.#slopes[1]!],
      [errors2, this.#slopes[3]!],
    ] as const) {
      for (let at = 0; at < errors.length; at++) bias[at % MAPS]! += errors[at]!;
    }
  }

  /** Errors of the second convolution's input from those of its places, most of which are 0. */
  #through(errors: Float32Array): Float32Array {
    const weights = this.#layers[2]!;
    const input = new Float32Array(POOL1 * POOL1 * MAPS);
    for (let at = 0; at < errors.length; at++) {
      const error = errors[at]!;
      if (error === 0) continue;
      const [place, map] = [Math.floor(at / MAPS), at % MAPS];
      const corner = Math.floor(place / CONV2) * POOL1 + (place % CONV2);
      for (let dy = 0; dy < FIELD; dy++) {
        const from = (corner + dy * POOL1) * MAPS;
        const tap = dy * FIELD * MAPS;
        for (let i = 0; i < FIELD * MAPS; i++) input[from + i]! += error * weights[(tap + i) * MAPS + map]!;
      }
    }
    return input;
  }

  #sumDense(rows: number): void {
    const [slopes, width] = [this.#slopes[4]!, this.#head.hidden];
    const deltas = this.#deltas[0]!;
    for (let i = 0; i < FLAT; i++) {
      let count = 0;
      for (let slot = 0; slot < rows; slot++) {
        count = this.#term(count, 4 * slot * width, this.#pooled2[slot]!.values[i]!);
      }
      this.#sum(slopes.subarray(i * width, (i + 1) * width), deltas, count, width);
    }
  }

  /** The gradient of a convolution: of each tap the sum of errors × what the tap saw, over all places and rows. */
  #sumTaps(
    slopes: Float32Array,
    rows: number,
    {
      inputs,
      side,
      maps,
      errors,
      places,
    }: {
      readonly inputs: readonly Float32Array[];
      readonly side: number;
      readonly maps: number;
      readonly errors: readonly Float32Array[];
      readonly places: number;
    },
  ): void {
    const row = 4 * places * places * MAPS;
    for (let tap = 0; tap < FIELD * FIELD * maps; tap++) {
      const [map, cell] = [tap % maps, Math.floor(tap / maps)];
      const corner = Math.floor(cell / FIELD) * side + (cell % FIELD);
      let count = 0;
      for (let slot = 0; slot < rows; slot++) {
        const input = inputs[slot]!;
        for (let y = 0, place = 0; y < places; y++) {
          let at = (corner + y * side) * maps + map;
          for (let x = 0; x < places; x++, place++, at += maps) {
            count = this.#term(count, slot * row + 4 * MAPS * place, input[at]!);
          }
        }
      }
      this.#sum(slopes.subarray(tap * MAPS, (tap + 1) * MAPS), errors[0]!, count, MAPS);
    }
  }

  /** Adds a term to the next sum unless its factor is 0; how many there are then. */
  #term(count: number, offset: number, factor: number): number {
    if (factor === 0) return count;
    this.#offsets[count] = offset;
    this.#factors[count] = factor;
    return count + 1;
  }

  /** target += Σ factor · row of `matrix`, over the terms. */
  #sum(target: Float32Array, matrix: Float32Array, count: number, width: number): void {
    if (count === 0) return;
    const [offsets, factors] = [this.#offsets.byteOffset, this.#factors.byteOffset];
    this.#accumulate(target.byteOffset, matrix.byteOffset, offsets, factors, 4 * count, 4 * width);
  }
}

/** Turns scores into probabilities, in place. */
function softmax(scores: Float64Array): void {
  const most = Math.max(...scores);
  let sum = 0;
  for (let k = 0; k < scores.length; k++) sum += scores[k] = exp(scores[k]! - most);
  for (let k = 0; k < scores.length; k++) scores[k]! /= sum;
}
