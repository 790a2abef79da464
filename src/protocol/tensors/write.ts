import { IchainError } from "../../errors/error.ts";
import { comparePaths, quotePath } from "../parcel/paths.ts";
import { type HeaderBounds, headerBounds } from "./bounds.ts";
import { compareDtypes, type Dtype, tensorBytes } from "./dtype.ts";
import { LENGTH_BYTES, parseHeader, type TensorHeader } from "./header.ts";

export interface TensorShape {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export interface Tensor extends TensorShape {
  /** Little-endian, in C order. */
  readonly data: Uint8Array;
}

const utf8 = new TextEncoder();

/**
 * The bytes that precede the data in a file with these tensors, and where each tensor's data goes: for a file that is
 * written piece by piece. The same tensors give the same bytes in whatever order they come, and with one entry of
 * metadata at most the bytes are those that Python's `safetensors` writes: sorted by alignment, then by name, and padded
 * with spaces, so that each tensor begins at a multiple of its element's size.
 * @throws TENSORS_MALFORMED, TENSORS_TOO_LARGE, TENSORS_INCONSISTENT when no reader would accept it
 */
export function writeHeader(
  tensors: Iterable<TensorShape>,
  metadata: Readonly<Record<string, string>> = {},
  bounds: HeaderBounds = headerBounds,
): { readonly bytes: Uint8Array; readonly header: TensorHeader } {
  let end = 0;
  const fields = [...tensors].toSorted(byLayout).map(({ name, dtype, shape }) => {
    const start = end;
    end += tensorBytes(dtype, shape) ?? 0;
    return field(name, { dtype, shape, data_offsets: [start, end] });
  });
  const notes = Object.entries(metadata).toSorted(([a], [b]) => comparePaths(a, b));
  if (notes.length > 0)
    fields.unshift(`"__metadata__":{${notes.map(([key, text]) => field(key, text)).join(",")}}`);
  const json = utf8.encode(`{${fields.join(",")}}`);
  const bytes = new Uint8Array(LENGTH_BYTES + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - LENGTH_BYTES), true);
  bytes.set(json, LENGTH_BYTES);
  const header = parseHeader(bytes.subarray(LENGTH_BYTES), bytes.length + end, bounds);
  return { bytes, header };
}

/**
 * A safetensors file in memory.
 * @throws TENSORS_INCONSISTENT when a tensor's data is not as long as its shape says
 * @throws the codes of `writeHeader`
 */
export function writeSafetensors(
  tensors: readonly Tensor[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const { bytes, header } = writeHeader(tensors, metadata);
  const file = new Uint8Array(bytes.length + header.dataBytes);
  file.set(bytes);
  const dataOf = new Map(tensors.map(({ name, data }) => [name, data]));
  for (const { name, start, end } of header.tensors) {
    const data = dataOf.get(name)!;
    if (data.length !== end - start) {
      throw new IchainError(
        "TENSORS_INCONSISTENT",
        `The tensor ${quotePath(name)} has ${data.length} bytes, and ${end - start} by its shape.`,
      );
    }
    file.set(data, start);
  }
  return file;
}

/** By alignment, then by name in UTF-8 (the order of `comparePaths`). */
function byLayout(a: TensorShape, b: TensorShape): number {
  return compareDtypes(a.dtype, b.dtype) || comparePaths(a.name, b.name);
}

function field(key: string, value: unknown): string {
  return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
}
