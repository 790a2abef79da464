/** Parameters of a model, and of every vector of its length, are handled in chunks of this many. */
export const CHUNK = 4096;
/** Parameters that share a scale. */
export const BLOCK = 256;
/** Binary digits after the point of a model's values. */
export const FRACTION = 24;
/** A scale is 2^(s-24) with s from 0 to this, so that a code times its scale is a whole number of 2^-24. */
export const MAX_SCALE = 24;
/** Longest model, in parameters. */
export const MAX_LENGTH = 2 ** 36;

/** A chunk of an update: `codes[i] · 2^scales[i / 256]` in units of 2^-24. Beyond the update's end codes are 0. */
export interface Chunk {
  readonly codes: Int8Array;
  readonly scales: Uint8Array;
}

/** An update that is read chunk by chunk, so that one of 100 million parameters need not be in memory. */
export interface UpdateSource {
  /** Parameters. */
  readonly length: number;
  /** Fills `into` with chunk `index`; throws `UPDATE_INVALID`. */
  load(index: number, into: Chunk): void;
}

export function emptyChunk(): Chunk {
  return { codes: new Int8Array(CHUNK), scales: new Uint8Array(CHUNK / BLOCK) };
}

export function chunksOf(length: number): number {
  return Math.ceil(length / CHUNK);
}

/** The chunks `[from, to)`: what one thread works on. */
export interface ChunkRange {
  readonly from: number;
  readonly to: number;
}

export function everyChunk(length: number): ChunkRange {
  return { from: 0, to: chunksOf(length) };
}

/** Parameters in chunk `index` of a vector of `length`. */
export function sizeOfChunk(length: number, index: number): number {
  return Math.min(CHUNK, length - index * CHUNK);
}
