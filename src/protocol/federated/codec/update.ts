import { type Chunk, chunksOf, emptyChunk, sizeOfChunk, type UpdateSource } from "./chunk.ts";
import { decodeHeader, HEADER_BYTES, refuseUpdate, type UpdateHeader } from "./header.ts";
import { int8BodyBytes, int8ChunkBytes, int8Offset, readInt8Chunk } from "./int8.ts";
import { numberOf } from "./quantise.ts";
import { readTopkChunk, topkOffset } from "./topk.ts";

/** Bytes of a whole update with this header. */
export function updateBytes({ kind, length, keep }: UpdateHeader): number {
  const body = kind === "int8" ? int8BodyBytes(length) : topkOffset(length, keep, Number.POSITIVE_INFINITY);
  return HEADER_BYTES + body;
}

/** Where chunk `index` of an update lies, header included: the bytes `[from, to)`. */
export function chunkBytes(header: UpdateHeader, index: number): [from: number, to: number] {
  const { kind, length, keep } = header;
  const from = kind === "int8" ? int8Offset(index) : topkOffset(length, keep, index);
  const to = kind === "int8" ? from + int8ChunkBytes(length, index) : topkOffset(length, keep, index + 1);
  return [HEADER_BYTES + from, HEADER_BYTES + to];
}

/** Reads chunk `index` from exactly its bytes (`chunkBytes`); throws `UPDATE_INVALID`. */
export function readChunk(header: UpdateHeader, index: number, bytes: Uint8Array, into: Chunk): void {
  const { kind, length, keep } = header;
  if (kind === "int8") readInt8Chunk(bytes, sizeOfChunk(length, index), into);
  else readTopkChunk(bytes, length, keep, index, into);
}

/**
 * A stranger's update in memory, checked as a whole: kind, length in parameters and in bytes, every chunk.
 * @throws UPDATE_INVALID
 */
export function openUpdate(bytes: Uint8Array, length: number): UpdateSource {
  const header = decodeHeader(bytes);
  if (header.length !== length) refuseUpdate(`it has ${header.length} parameters, the model ${length}`);
  if (bytes.length !== updateBytes(header)) refuseUpdate("its size is not what its header says");
  const source: UpdateSource = {
    length,
    load: (index, into) => readChunk(header, index, bytes.subarray(...chunkBytes(header, index)), into),
  };
  const scratch = emptyChunk();
  for (let index = 0; index < chunksOf(length); index++) source.load(index, scratch);
  return source;
}

/** The change that an update stands for, as numbers: exact, since every value is a whole number of 2^-24. */
export function decodeUpdate(source: UpdateSource): Float64Array {
  const values = new Float64Array(source.length);
  const chunk = emptyChunk();
  for (let index = 0, at = 0; index < chunksOf(source.length); index++) {
    source.load(index, chunk);
    for (let i = 0; i < sizeOfChunk(source.length, index); i++, at++) {
      values[at] = numberOf(chunk.codes[i]!, chunk.scales[i >> 8]!);
    }
  }
  return values;
}
