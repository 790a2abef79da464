import type { Layout } from "../../../../protocol/federated/digest.ts";
import type { Random } from "../../../federated/data/random.ts";

/** Maps of both convolutions, which are rows of the kernel; LeNet-5 has 6 and 16 (LeCun et al. 1998). */
export const MAPS = 16;
export const FIELD = 5;
export const SIDE = 28;
/** Sides of what each step makes. */
export const [CONV1, POOL1, CONV2, POOL2] = [24, 12, 8, 4];
const [TAPS1, TAPS2] = [FIELD * FIELD, FIELD * FIELD * MAPS];
export const FLAT = POOL2 * POOL2 * MAPS;

/** Values of a row: grey digits of 28 by 28. */
export const LENET_FEATURES = SIDE * SIDE;

/** Units of the layer between, a multiple of 16, and classes. */
export interface LenetHead {
  readonly hidden: number;
  readonly classes: number;
}

/** What the vector of weights holds, by name; of convolutions row, column, map of the input, map. */
export function lenetLayout({ hidden, classes }: LenetHead): Layout {
  return [
    { name: "1.conv.weight", shape: [FIELD, FIELD, 1, MAPS] },
    { name: "2.conv.bias", shape: [MAPS] },
    { name: "3.conv.weight", shape: [FIELD, FIELD, MAPS, MAPS] },
    { name: "4.conv.bias", shape: [MAPS] },
    { name: "5.hidden.weight", shape: [FLAT, hidden] },
    { name: "6.hidden.bias", shape: [hidden] },
    { name: "7.output.weight", shape: [hidden, classes] },
    { name: "8.output.bias", shape: [classes] },
  ];
}

/** First weights: normal with deviation √(2 / inputs) (He et al. 2015), biases 0. */
export function lenetWeights(head: LenetHead, random: Random): Float64Array {
  const inputs = [TAPS1, 0, TAPS2, 0, FLAT, 0, head.hidden, 0];
  const parts = lenetLayout(head).map(({ shape }, at) => {
    const deviation = inputs[at] === 0 ? 0 : Math.sqrt(2 / inputs[at]!);
    const size = shape.reduce((product, one) => product * one, 1);
    return Array.from({ length: size }, () => (deviation === 0 ? 0 : deviation * random.normal()));
  });
  return Float64Array.from(parts.flat());
}

/** Where the tensors of a layout lie in a vector. */
export function tensorsIn(vector: Float32Array, layout: Layout): Float32Array[] {
  let from = 0;
  return layout.map(({ shape }) => {
    const to = from + shape.reduce((product, one) => product * one, 1);
    const part = vector.subarray(from, to);
    from = to;
    return part;
  });
}
