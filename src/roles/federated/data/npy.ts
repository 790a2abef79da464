import { IchainError } from "../../../errors/error.ts";

/** An array of numbers with its shape, the last dimension running fastest. */
export interface NumericArray {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const HEADER =
  /^\{\s*'descr':\s*'([<|=])([a-z]\d)',\s*'fortran_order':\s*False,\s*'shape':\s*\(([\d, ]*)\),?\s*\}\s*$/;

type Reader = (view: DataView, at: number) => number;
const readers: Readonly<Record<string, readonly [bytes: number, read: Reader]>> = {
  u1: [1, (view, at) => view.getUint8(at)],
  b1: [1, (view, at) => view.getUint8(at)],
  i1: [1, (view, at) => view.getInt8(at)],
  u2: [2, (view, at) => view.getUint16(at, true)],
  i2: [2, (view, at) => view.getInt16(at, true)],
  i4: [4, (view, at) => view.getInt32(at, true)],
  u4: [4, (view, at) => view.getUint32(at, true)],
  i8: [8, (view, at) => Number(view.getBigInt64(at, true))],
  f4: [4, (view, at) => view.getFloat32(at, true)],
  f8: [8, (view, at) => view.getFloat64(at, true)],
};

/**
 * Reads a numpy .npy file, little-endian, in C order, of numbers: never objects, whose reading runs code.
 * @throws DATA_INVALID
 */
export function readNpy(bytes: Uint8Array): NumericArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte)) refuse("it is no .npy file");
  const long = bytes[6]! >= 2;
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (long ? 12 : 10) + length;
  if (length > 4096 || start > bytes.length) refuse("its header is too long");
  const header = HEADER.exec(new TextDecoder().decode(bytes.subarray(long ? 12 : 10, start)));
  const [size, read] = readers[header?.[2] ?? ""] ?? refuse("it holds something other than plain numbers");
  const shape = header![3]!.split(",").flatMap((text) => (text.trim() === "" ? [] : [Number(text)]));
  const count = shape.reduce((product, one) => product * one, 1);
  if (start + count * size !== bytes.length) refuse("its size is not what its header says");
  if (size === 1 && header![2] !== "i1") return { shape, values: bytes.subarray(start) };
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, start + i * size);
  return { shape, values };
}

function refuse(why: string): never {
  throw new IchainError("DATA_INVALID", `An array of the data file cannot be used: ${why}.`);
}
