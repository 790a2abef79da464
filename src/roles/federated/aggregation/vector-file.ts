import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { CHUNK } from "../../../protocol/federated/codec/chunk.ts";
import { chunkFromBytes, chunkToBytes, eachChunk, Vector } from "../../../protocol/federated/vector.ts";

/** Writes a vector as `ChunkFiles` reads it. */
export function writeVector(path: string, vector: Vector): void {
  const file = openSync(path, "w", 0o600);
  try {
    eachChunk(vector, (chunk, size) => writeSync(file, chunkToBytes(chunk, size)));
  } finally {
    closeSync(file);
  }
}

/** The vector of `length` in a file of this machine's own making. */
export function readVector(path: string, length: number): Vector {
  const file = openSync(path, "r");
  const vector = new Vector(length);
  try {
    const bytes = new Uint8Array(8 * CHUNK);
    for (let at = 0; at < length; at += CHUNK) {
      const read = readSync(file, bytes, 0, 8 * Math.min(CHUNK, length - at), 8 * at);
      chunkFromBytes(bytes.subarray(0, read), vector.units.subarray(at));
    }
    return vector;
  } finally {
    closeSync(file);
  }
}
