import { IchainError } from "../../errors/error.ts";
import { quotePath } from "../parcel/paths.ts";
import type { Dtype } from "./dtype.ts";
import type { TensorInfo } from "./header.ts";
import type { Tensor } from "./write.ts";

/**
 * The numbers of an F32 tensor in `file`, as a copy. They may be NaN or infinite.
 * @throws TENSORS_MALFORMED when it has another dtype
 */
export function float32Values(file: Uint8Array, tensor: TensorInfo): Float32Array {
  const bytes = dataOf(file, tensor, "F32");
  // A typed array has the machine's byte order and alignment, a file neither.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = new Float32Array(bytes.length / 4);
  for (let at = 0; at < values.length; at++) values[at] = view.getFloat32(4 * at, true);
  return values;
}

/**
 * The numbers of an I8 tensor in `file`, as a copy.
 * @throws TENSORS_MALFORMED when it has another dtype
 */
export function int8Values(file: Uint8Array, tensor: TensorInfo): Int8Array {
  return Int8Array.from(dataOf(file, tensor, "I8"));
}

export function float32Tensor(name: string, shape: readonly number[], values: Float32Array): Tensor {
  const data = new Uint8Array(4 * values.length);
  const view = new DataView(data.buffer);
  for (let at = 0; at < values.length; at++) view.setFloat32(4 * at, values[at]!, true);
  return { name, dtype: "F32", shape, data };
}

export function int8Tensor(name: string, shape: readonly number[], values: Int8Array): Tensor {
  return { name, dtype: "I8", shape, data: Uint8Array.from(values) };
}

function dataOf(file: Uint8Array, tensor: TensorInfo, dtype: Dtype): Uint8Array {
  if (tensor.dtype === dtype) return file.subarray(tensor.start, tensor.end);
  throw new IchainError(
    "TENSORS_MALFORMED",
    `The tensor ${quotePath(tensor.name)} is of dtype ${tensor.dtype} instead of ${dtype}.`,
  );
}
