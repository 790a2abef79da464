import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../../src/roles/federated/data/random.ts";
import { packSamples } from "../../../src/roles/federated/data/samples.ts";
import {
  LENET_FEATURES,
  lenetLayout,
  lenetWeights,
} from "../../../src/roles/gossip/simulation/lenet/layout.ts";
import { LeNet } from "../../../src/roles/gossip/simulation/lenet/lenet.ts";

const head = { hidden: 16, classes: 3 };
const local = { epochs: 1, batch: 32, lr: 1, schedule: "constant", prox: 0 } as const;

/** Bars at the top, in the middle or at the bottom, with noise. */
function bars(rows: number, random: Random) {
  const labels = Uint8Array.from({ length: rows }, (_, row) => row % 3);
  const dense = Float64Array.from({ length: rows * LENET_FEATURES }, (_, at) => {
    const [row, y] = [Math.floor(at / LENET_FEATURES), Math.floor((at % LENET_FEATURES) / 28)];
    const isBar = Math.abs(y - (5 + 9 * labels[row]!)) < 2;
    return isBar && random.uniform() < 0.5 ? 1 : 0;
  });
  return packSamples(dense, labels, { features: LENET_FEATURES, classes: 3, scale: 1 });
}

test("LeNet steps along the slope of its loss", () => {
  const random = new Random("lenet");
  const [samples, rows] = [bars(4, random), Uint32Array.from([0, 1, 2, 3])];
  // With biases of 0 an empty place is at the kink of its rectifier.
  const weights = Float32Array.from(lenetWeights(head, random), (weight) => weight + 0.05 * random.normal());
  const net = new LeNet(head, 4);
  net.load(weights);
  net.train(samples, rows, local, random);
  const stepped = new Float32Array(weights.length);
  net.copyTo(stepped);
  let from = 0;
  for (const { name, shape } of lenetLayout(head)) {
    const size = shape.reduce((product, one) => product * one, 1);
    const slopes = Array.from({ length: size }, (_, i) => weights[from + i]! - stepped[from + i]!);
    const at = from + slopes.indexOf(Math.max(...slopes));
    const lossAt = (change: number) => {
      net.load(weights.with(at, weights[at]! + change));
      return net.measure(samples, rows).loss;
    };
    const [slope, step] = [weights[at]! - stepped[at]!, 2e-4];
    const found = (lossAt(step) - lossAt(-step)) / (2 * step);
    assert.ok(Math.abs(found - slope) < 0.04 * Math.abs(slope) + 2e-3, `${name}: ${found} ${slope}`);
    from += size;
  }
  assert.equal(from, weights.length);
});

test("LeNet learns to tell bars by their height", () => {
  const random = new Random("bars");
  const samples = bars(96, random);
  const net = new LeNet(head, 32);
  net.load(lenetWeights(head, random));
  for (let step = 0; step < 30; step++) {
    const rows = Uint32Array.from({ length: 32 }, () => random.below(96));
    net.train(samples, rows, { ...local, lr: 0.1 }, random);
  }
  const { accuracy } = net.measure(samples, Uint32Array.from(samples.labels.keys()));
  assert.ok(accuracy > 0.9, String(accuracy));
});
