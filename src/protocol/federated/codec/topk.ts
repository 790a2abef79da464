import { BLOCK, CHUNK, type Chunk, sizeOfChunk } from "./chunk.ts";
import { encodeHeader, HEADER_BYTES, keptOf, refuseUpdate } from "./header.ts";
import { largestOf } from "./int8.ts";
import { codeOf, numberOf, scaleFor } from "./quantise.ts";

/** Bytes before a chunk's entries: scale, lower code, upper code. */
const LEAD = 3;
/** Bits of an entry: index in the chunk (12), upper (1), negative (1). */
const ENTRY = 14;

/**
 * Encodes the largest `keep` of a thousand values of each chunk in 2 bits each (a sign and one of two magnitudes) beside
 * their 12-bit places, in the order of places. What is not sent stays in `residual`, which the caller adds to the next
 * round's change (error feedback): the residual must hold the change already and is reduced by what the update says.
 * @throws UPDATE_INVALID for a value that is no finite number
 */
export function encodeTopk(residual: Float64Array, keep: number, state: Uint8Array): Uint8Array {
  const { length } = residual;
  const bytes = new Uint8Array(HEADER_BYTES + topkOffset(length, keep, Number.POSITIVE_INFINITY));
  bytes.set(encodeHeader({ kind: "topk", keep, length, state }));
  let at = HEADER_BYTES;
  for (let start = 0; start < length; start += CHUNK) {
    const values = residual.subarray(start, start + CHUNK);
    at += encodeChunk(values, keptOf(values.length, keep), bytes.subarray(at));
  }
  return bytes;
}

function encodeChunk(values: Float64Array, count: number, bytes: Uint8Array): number {
  const scale = scaleFor(largestOf(values, 0, values.length));
  const places = [...values.keys()]
    .sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!) || a - b)
    .slice(0, count);
  const codes = places.map((place) => Math.abs(codeOf(values[place]!, scale)));
  const [lower, upper] = twoLevels(codes);
  bytes.set([scale, lower, upper]);
  const entries = places
    .map((place, i) => ({ place, high: 2 * codes[i]! > lower + upper && upper > lower }))
    .sort((a, b) => a.place - b.place);
  for (const [i, { place, high }] of entries.entries()) {
    const negative = values[place]! < 0;
    putBits(bytes, LEAD * 8 + i * ENTRY, place * 4 + (high ? 2 : 0) + (negative ? 1 : 0));
    values[place]! -= numberOf((negative ? -1 : 1) * (high ? upper : lower), scale);
  }
  return topkChunkBytes(values.length, count);
}

/** Two codes that stand for all of `codes` (descending): the mean of those above their middle, and of the rest. */
function twoLevels(codes: readonly number[]): [lower: number, upper: number] {
  let split = mean(codes);
  for (let i = 0; i < 4; i++) {
    split = (mean(codes.filter((code) => code > split)) + mean(codes.filter((code) => code <= split))) / 2;
  }
  const upper = codes.filter((code) => code > split);
  const lower = Math.floor(mean(codes.filter((code) => code <= split)) + 0.5);
  return [lower, upper.length === 0 ? lower : Math.floor(mean(upper) + 0.5)];
}

function mean(codes: readonly number[]): number {
  return codes.length === 0 ? 0 : codes.reduce((sum, code) => sum + code, 0) / codes.length;
}

/** Where chunk `index` begins in the body; an index past the end gives the body's bytes. */
export function topkOffset(length: number, keep: number, index: number): number {
  const whole = Math.floor(length / CHUNK);
  const before = Math.min(index, whole) * topkChunkBytes(CHUNK, keptOf(CHUNK, keep));
  const rest = length % CHUNK;
  return index > whole && rest > 0 ? before + topkChunkBytes(rest, keptOf(rest, keep)) : before;
}

function topkChunkBytes(size: number, count: number): number {
  return size === 0 ? 0 : LEAD + Math.ceil((count * ENTRY) / 8);
}

/** Reads chunk `index` from its bytes; places must rise, and bits that mean nothing must be 0. */
export function readTopkChunk(
  bytes: Uint8Array,
  length: number,
  keep: number,
  index: number,
  into: Chunk,
): void {
  const size = sizeOfChunk(length, index);
  const count = keptOf(size, keep);
  const [scale, lower, upper] = [bytes[0]!, bytes[1]!, bytes[2]!];
  if (scale > 24 || lower > upper || upper > 127) refuseUpdate("a chunk's scale or codes are out of range");
  into.codes.fill(0);
  into.scales.fill(0, Math.ceil(size / BLOCK)).fill(scale, 0, Math.ceil(size / BLOCK));
  let last = -1;
  for (let i = 0; i < count; i++) {
    const entry = getBits(bytes, LEAD * 8 + i * ENTRY);
    const place = entry >> 2;
    if (place <= last || place >= size) refuseUpdate("its places are out of order or of range");
    const high = (entry & 2) !== 0;
    if (high && upper === lower) refuseUpdate("an entry is marked upper where there is one level");
    into.codes[place] = ((entry & 1) !== 0 ? -1 : 1) * (high ? upper : lower);
    last = place;
  }
  const unused = bytes.length * 8 - LEAD * 8 - count * ENTRY;
  if ((bytes.at(-1)! & ((1 << unused) - 1)) !== 0) refuseUpdate("bits that mean nothing are set");
}

/** Writes the 14 bits of `entry` at bit `at`, the highest first. */
function putBits(bytes: Uint8Array, at: number, entry: number): void {
  for (let bit = 0; bit < ENTRY; bit++) {
    const place = at + bit;
    if ((entry >> (ENTRY - 1 - bit)) & 1) bytes[place >> 3]! |= 0x80 >> (place & 7);
  }
}

function getBits(bytes: Uint8Array, at: number): number {
  const first = at >> 3;
  const window = (bytes[first]! << 16) | ((bytes[first + 1] ?? 0) << 8) | (bytes[first + 2] ?? 0);
  return (window >> (24 - ENTRY - (at & 7))) & ((1 << ENTRY) - 1);
}
