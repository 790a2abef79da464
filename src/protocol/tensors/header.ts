import { IchainError } from "../../errors/error.ts";
import { quotePath } from "../parcel/paths.ts";
import { type HeaderBounds, headerBounds } from "./bounds.ts";
import { type Dtype, isDtype, tensorBytes } from "./dtype.ts";
import { type DeclaredTensor, parseHeaderJson } from "./header-json.ts";

/** Bytes at the start of a file that hold the length of its header: a little-endian 64-bit number. */
export const LENGTH_BYTES = 8;

export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte of its data, and the byte after the last, counted from the start of the file. */
  readonly start: number;
  readonly end: number;
}

/** What a safetensors file says of itself (https://github.com/huggingface/safetensors, "Format"). */
export interface TensorHeader {
  /** In the order of their data. */
  readonly tensors: readonly TensorInfo[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Of all tensors together. */
  readonly dataBytes: number;
}

/**
 * Length of the header's JSON, from the first eight bytes of a file of `fileBytes`.
 * @throws TENSORS_MALFORMED
 * @throws TENSORS_TOO_LARGE
 */
export function headerLength(
  prefix: Uint8Array,
  fileBytes: number,
  bounds: HeaderBounds = headerBounds,
): number {
  if (prefix.length < LENGTH_BYTES) throw malformed("the file ends before it");
  const length = new DataView(prefix.buffer, prefix.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(Math.max(0, fileBytes - LENGTH_BYTES))) throw malformed("the file ends before it");
  if (length > BigInt(bounds.headerBytes)) {
    throw new IchainError(
      "TENSORS_TOO_LARGE",
      `The safetensors header has ${length} bytes, more than ${bounds.headerBytes}.`,
    );
  }
  return Number(length);
}

/**
 * Checks the header `json` of a file of `fileBytes`: every tensor's data lies in the file, none overlaps another, and
 * together they are all that follows the header. The data itself is not looked at.
 * @throws TENSORS_MALFORMED it is not what the format says
 * @throws TENSORS_TOO_LARGE it is beyond `bounds`
 * @throws TENSORS_INCONSISTENT its offsets contradict its shapes, one another, or the file's size
 */
export function parseHeader(
  json: Uint8Array,
  fileBytes: number,
  bounds: HeaderBounds = headerBounds,
): TensorHeader {
  const { tensors, metadata } = parseHeaderJson(decode(json), bounds);
  const origin = LENGTH_BYTES + json.length;
  let next = 0;
  const infos = tensors.toSorted(byOffsets).map((tensor): TensorInfo => {
    const { name, shape } = tensor;
    const [start, end] = tensor.offsets;
    const dtype = dtypeOf(tensor);
    const bytes = tensorBytes(dtype, shape);
    if (bytes === undefined) throw inconsistent(name, "its shape has no size in bytes");
    if (start < next) throw inconsistent(name, "its data overlaps another tensor's");
    if (start > next) throw inconsistent(name, "a gap precedes its data");
    if (end - start !== bytes) throw inconsistent(name, "its data is not as long as its shape says");
    next = end;
    return { name, dtype, shape, start: origin + start, end: origin + end };
  });
  if (next > bounds.dataBytes) {
    throw new IchainError(
      "TENSORS_TOO_LARGE",
      `The tensors have ${next} bytes, more than ${bounds.dataBytes}.`,
    );
  }
  if (origin + next !== fileBytes) {
    throw new IchainError(
      "TENSORS_INCONSISTENT",
      `The tensors end at byte ${origin + next} of a file of ${fileBytes}.`,
    );
  }
  return { tensors: infos, metadata, dataBytes: next };
}

/**
 * Reads the header of a whole file in memory.
 * @throws the codes of `parseHeader`
 * @example readHeader(file).tensors.map(({ name, shape }) => `${name} ${shape}`)
 */
export function readHeader(file: Uint8Array, bounds: HeaderBounds = headerBounds): TensorHeader {
  const length = headerLength(file, file.length, bounds);
  return parseHeader(file.subarray(LENGTH_BYTES, LENGTH_BYTES + length), file.length, bounds);
}

/** Gives `length` bytes of a file from `at`, or fewer where it ends. */
export type ReadBytes = (at: number, length: number) => Promise<Uint8Array>;

/**
 * Reads the header of a file of `fileBytes` and nothing else of it.
 * @throws the codes of `parseHeader`, and what `read` throws
 */
export async function readHeaderFrom(
  read: ReadBytes,
  fileBytes: number,
  bounds: HeaderBounds = headerBounds,
): Promise<TensorHeader> {
  const length = headerLength(await read(0, LENGTH_BYTES), fileBytes, bounds);
  return parseHeader(await read(LENGTH_BYTES, length), fileBytes, bounds);
}

/** An empty tensor shares its offset with the next one, so it goes first. */
function byOffsets(a: DeclaredTensor, b: DeclaredTensor): number {
  return a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1];
}

function dtypeOf({ dtype }: DeclaredTensor): Dtype {
  if (isDtype(dtype)) return dtype;
  throw malformed(`${quotePath(dtype)} is no dtype`);
}

function decode(json: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
  } catch (cause) {
    throw malformed("it is no UTF-8 text", cause);
  }
}

function malformed(why: string, cause?: unknown): IchainError {
  return new IchainError("TENSORS_MALFORMED", `The safetensors header is malformed: ${why}.`, { cause });
}

function inconsistent(name: string, why: string): IchainError {
  return new IchainError(
    "TENSORS_INCONSISTENT",
    `The safetensors header contradicts itself at the tensor ${quotePath(name)}: ${why}.`,
    { details: { tensor: name } },
  );
}
