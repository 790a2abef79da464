import { IchainError } from "../../errors/error.ts";
import { comparePaths } from "../parcel/paths.ts";
import { readHeader, type TensorInfo } from "../tensors/header.ts";
import { float32Tensor, float32Values } from "../tensors/values.ts";
import { type Tensor, writeSafetensors } from "../tensors/write.ts";
import { CHUNK } from "./codec/chunk.ts";
import type { Layout } from "./digest.ts";
import { chunkFromBytes, chunkToBytes, LARGEST_UNITS, Vector } from "./vector.ts";

export interface Model {
  readonly layout: Layout;
  readonly vector: Vector;
}

/** Notes of a file whose I64 tensors are whole numbers of 2^-24. */
const EXACT = { "ichain.model": "q24" } as const;

/**
 * A model from a task's safetensors file of F32 tensors, which may be a stranger's. Its vector holds them by name.
 * @throws MODEL_INVALID when a tensor is of another type, a value is no finite number, or there is no value
 * @throws TENSORS_MALFORMED, TENSORS_TOO_LARGE, TENSORS_INCONSISTENT
 */
export function readModel(file: Uint8Array): Model {
  return assemble(tensorsOf(file, "F32"), (tensor, units) => {
    const values = float32Values(file, tensor);
    if (values.some((value) => !Number.isFinite(value)))
      refuse(`"${tensor.name}" has a value that is no number`);
    units.set(Vector.fromNumbers(values).units);
  });
}

/** The model as F32 tensors, rounded to the nearest: what a task is given, and the requester in the end. */
export function writeModel({ layout, vector }: Model): Uint8Array {
  const values = vector.toNumbers();
  return writeSafetensors(
    split(layout, (name, shape, from, to) =>
      float32Tensor(name, shape, Float32Array.from(values.subarray(from, to))),
    ),
  );
}

/**
 * A model from a file that `writeExactModel` made.
 * @throws MODEL_INVALID when it is another file, or a value is out of a model's bounds
 * @throws TENSORS_MALFORMED, TENSORS_TOO_LARGE, TENSORS_INCONSISTENT
 */
export function readExactModel(file: Uint8Array): Model {
  if (readHeader(file).metadata.get("ichain.model") !== "q24") refuse("it does not say that it is exact");
  return assemble(tensorsOf(file, "I64"), ({ name, start, end }, units) => {
    for (let at = start; at < end; at += 8 * CHUNK) {
      const bytes = file.subarray(at, Math.min(end, at + 8 * CHUNK));
      chunkFromBytes(bytes, units.subarray((at - start) / 8));
    }
    if (units.some((one) => Math.abs(one) > LARGEST_UNITS)) refuse(`"${name}" has a value beyond ±2^23`);
  });
}

/** The model as I64 tensors in units of 2^-24: what the next round is computed from. */
export function writeExactModel({ layout, vector }: Model): Uint8Array {
  const tensors = split(layout, (name, shape, from, to): Tensor => {
    const units = vector.units.subarray(from, to);
    return { name, dtype: "I64", shape, data: chunkToBytes(units, units.length) };
  });
  return writeSafetensors(tensors, EXACT);
}

function tensorsOf(file: Uint8Array, dtype: "F32" | "I64"): TensorInfo[] {
  const { tensors } = readHeader(file);
  const other = tensors.find((tensor) => tensor.dtype !== dtype);
  if (other !== undefined) refuse(`"${other.name}" is ${other.dtype}, not ${dtype}`);
  return tensors.toSorted((a, b) => comparePaths(a.name, b.name));
}

function assemble(
  tensors: readonly TensorInfo[],
  fill: (tensor: TensorInfo, units: Float64Array) => void,
): Model {
  const length = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (length === 0) refuse("it has no values");
  const vector = new Vector(length);
  let at = 0;
  for (const tensor of tensors) {
    const end = at + sizeOf(tensor.shape);
    fill(tensor, vector.units.subarray(at, end));
    at = end;
  }
  return { layout: tensors.map(({ name, shape }) => ({ name, shape })), vector };
}

function split(
  layout: Layout,
  make: (name: string, shape: readonly number[], from: number, to: number) => Tensor,
): Tensor[] {
  let end = 0;
  return layout.map(({ name, shape }) => {
    const start = end;
    end += sizeOf(shape);
    return make(name, shape, start, end);
  });
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, one) => product * one, 1);
}

function refuse(why: string): never {
  throw new IchainError("MODEL_INVALID", `The model is not valid: ${why}.`);
}
