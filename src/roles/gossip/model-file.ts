import { isIchainError } from "../../errors/error.ts";
import type { Genesis } from "../../protocol/gossip/genesis.ts";
import { isPacked, sizeOf, unpackWeights } from "../../protocol/gossip/packed-model.ts";
import { readHeader } from "../../protocol/tensors/header.ts";
import { float32Tensor, float32Values } from "../../protocol/tensors/values.ts";
import { writeSafetensors } from "../../protocol/tensors/write.ts";

/** A model's weights, in the layout's order, as a safetensors file of F32. */
export function modelFile(layout: Genesis["layout"], weights: Float32Array | Float64Array): Uint8Array {
  let from = 0;
  const tensors = layout.map(({ name, shape }) => {
    const to = from + valuesOf(shape);
    const values = Float32Array.from(weights.subarray(from, to));
    from = to;
    return float32Tensor(name, shape, values);
  });
  return writeSafetensors(tensors);
}

/**
 * All weights of a model as it travelled, packed or as such a file, which may be a stranger's; undefined where it is of
 * another form or a value is no finite number.
 */
export function modelWeights(file: Uint8Array, layout: Genesis["layout"]): Float32Array | undefined {
  if (isPacked(file)) return unpacked(file, sizeOf(layout));
  const tensors = tensorsOf(file);
  if (tensors?.length !== layout.length) return undefined;
  const weights = new Float32Array(sizeOf(layout));
  let at = 0;
  for (const { name, shape } of layout) {
    const tensor = tensors.find((one) => one.name === name);
    if (tensor?.dtype !== "F32" || String(tensor.shape) !== String(shape)) return undefined;
    weights.set(float32Values(file, tensor), at);
    at += valuesOf(shape);
  }
  return weights.every(Number.isFinite) ? weights : undefined;
}

function unpacked(file: Uint8Array, weights: number): Float32Array | undefined {
  try {
    return Float32Array.from(unpackWeights(file, weights));
  } catch (error) {
    if (isIchainError(error, "MODEL_INVALID")) return undefined;
    throw error;
  }
}

function tensorsOf(file: Uint8Array) {
  try {
    return readHeader(file).tensors;
  } catch {
    return undefined;
  }
}

function valuesOf(shape: readonly number[]): number {
  return shape.reduce((product, one) => product * one, 1);
}
