import { BLOCK, CHUNK, type Chunk, chunksOf, MAX_SCALE, sizeOfChunk } from "./chunk.ts";
import { encodeHeader, HEADER_BYTES, refuseUpdate } from "./header.ts";
import { codeOf, scaleFor } from "./quantise.ts";

const LARGEST = 2 ** 31;

/**
 * Encodes a change of a model as int8 codes with a power-of-two scale for each 256 values: for each chunk its scales, a
 * byte a block, then its codes. `state`: digest of what it was made from beside the training, zeros without.
 * @throws UPDATE_INVALID for a value that is no finite number
 */
export function encodeInt8(values: ArrayLike<number>, state: Uint8Array = new Uint8Array(32)): Uint8Array {
  const { length } = values;
  const bytes = new Uint8Array(HEADER_BYTES + int8BodyBytes(length));
  bytes.set(encodeHeader({ kind: "int8", keep: 1000, length, state }));
  let at = HEADER_BYTES;
  for (let start = 0; start < length; start += CHUNK) {
    const size = Math.min(CHUNK, length - start);
    const codesAt = at + Math.ceil(size / BLOCK);
    for (let block = 0; block < size; block += BLOCK) {
      const end = start + Math.min(block + BLOCK, size);
      const scale = scaleFor(largestOf(values, start + block, end));
      bytes[at + block / BLOCK] = scale;
      for (let i = start + block; i < end; i++) bytes[codesAt + i - start] = codeOf(values[i]!, scale);
    }
    at = codesAt + size;
  }
  return bytes;
}

/** Bytes of an int8 update's body. */
export function int8BodyBytes(length: number): number {
  return length + Math.ceil(length / BLOCK);
}

/** Where chunk `index` begins in the body. */
export function int8Offset(index: number): number {
  return index * (CHUNK + CHUNK / BLOCK);
}

/** Reads a chunk from its bytes (scales, then codes). One scale and one code have only one encoding. */
export function readInt8Chunk(bytes: Uint8Array, size: number, into: Chunk): void {
  const blocks = Math.ceil(size / BLOCK);
  into.scales.fill(0);
  into.scales.set(bytes.subarray(0, blocks));
  into.codes.set(new Int8Array(bytes.buffer, bytes.byteOffset + blocks, size));
  into.codes.fill(0, size);
  for (let block = 0; block < blocks; block++) checkBlock(into, block, size);
}

/** -128 is no code; a block's scale is the least that holds its largest code, so at least 64 unless it is 0. */
function checkBlock({ codes, scales }: Chunk, block: number, size: number): void {
  let bits = 0;
  const end = Math.min((block + 1) * BLOCK, size);
  for (let i = block * BLOCK; i < end; i++) {
    const sign = codes[i]! >> 31;
    bits |= (codes[i]! ^ sign) - sign;
  }
  // Of all magnitudes together: 128 is that of -128, and 64 is set where one of them is 64 or more.
  if ((bits & 128) !== 0) refuseUpdate("a code is out of range");
  if (scales[block]! > MAX_SCALE) refuseUpdate("a scale is out of range");
  if (scales[block]! > 0 && (bits & 64) === 0) refuseUpdate("a scale is larger than it need be");
}

/** Largest magnitude of `values[from..to)`. */
export function largestOf(values: ArrayLike<number>, from: number, to: number): number {
  let largest = 0;
  for (let i = from; i < to; i++) {
    const magnitude = Math.abs(values[i]!);
    if (!(magnitude < LARGEST)) refuseUpdate(`value ${i} is no finite number below 2^31`);
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

/** Bytes of chunk `index`. */
export function int8ChunkBytes(length: number, index: number): number {
  const size = index < chunksOf(length) ? sizeOfChunk(length, index) : 0;
  return size + Math.ceil(size / BLOCK);
}
