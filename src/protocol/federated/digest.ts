import { toHex } from "../bytes.ts";
import type { Hex } from "../ids.ts";
import { chunkToBytes, eachChunk, type VectorSource } from "./vector.ts";

/** SHA-256, piece by piece; Node's `createHash("sha256")` is one. */
export interface Hasher {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** A model's tensors in the order of its vector: names in ascending order of their UTF-8 bytes. */
export type Layout = readonly { readonly name: string; readonly shape: readonly number[] }[];

const UPDATE = "ichain/update/1\0";
const MODEL = "ichain/model/1\0";
const STATE = "ichain/state/1\0";
const utf8 = new TextEncoder();

/** Digest of an update, given in pieces: SHA-256 over a domain string and its bytes, of which there is one form. */
export function updateDigest(hasher: Hasher, pieces: Iterable<Uint8Array>): Hex {
  hasher.update(utf8.encode(UPDATE));
  for (const piece of pieces) hasher.update(piece);
  return toHex(hasher.digest());
}

/**
 * Digest of a model: SHA-256 over a domain string, u32 count of tensors, for each u32 length of the name ‖ name ‖
 * u32 dimensions ‖ u64 each, then every value as i64 in units of 2^-24 (all little-endian). The file that a model travels
 * in, its header and its order do not count.
 */
export function modelDigest(hasher: Hasher, layout: Layout, model: VectorSource): Hex {
  beginModelDigest(hasher, layout);
  return valuesDigest(hasher, model);
}

/** What is hashed before a model's values. */
export function beginModelDigest(hasher: Hasher, layout: Layout): void {
  hasher.update(utf8.encode(MODEL));
  hasher.update(word(layout.length, 4));
  for (const { name, shape } of layout) {
    const text = utf8.encode(name);
    hasher.update(word(text.length, 4));
    hasher.update(text);
    hasher.update(word(shape.length, 4));
    for (const size of shape) hasher.update(word(size, 8));
  }
}

/** Digest of a state of the server's step, or of a provider's residual: a domain string, u64 length, the values as i64. */
export function stateDigest(hasher: Hasher, state: VectorSource): Hex {
  hasher.update(utf8.encode(STATE));
  hasher.update(word(state.length, 8));
  return valuesDigest(hasher, state);
}

function valuesDigest(hasher: Hasher, vector: VectorSource): Hex {
  eachChunk(vector, (chunk, size) => hasher.update(chunkToBytes(chunk, size)));
  return toHex(hasher.digest());
}

function word(value: number, bytes: 4 | 8): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  if (bytes === 4) view.setUint32(0, value, true);
  else view.setBigUint64(0, BigInt(value), true);
  return new Uint8Array(view.buffer);
}
