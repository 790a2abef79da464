/** Buffers below this many bytes may be part of Node's shared pool, and freeing them gains nothing. */
const LARGE = 256 << 10;

/**
 * Frees the memory behind `bytes` at once; they must not be used again. Left to garbage collection, buffers of some MiB
 * accumulate, and collecting them takes a third of the time of a pack.
 */
export function freeBuffer(bytes: Uint8Array): void {
  memoryOf(bytes)?.transfer(0);
}

/** The memory behind `bytes` where it is theirs alone, so that it can be freed or passed to a thread. */
export function memoryOf({ buffer }: Uint8Array): ArrayBuffer | undefined {
  return buffer instanceof ArrayBuffer && buffer.byteLength >= LARGE ? buffer : undefined;
}

/** The same of several parts, each memory once. */
export function memoryOfAll(parts: readonly Uint8Array[]): ArrayBuffer[] {
  return [...new Set(parts.map(memoryOf).filter((memory) => memory !== undefined))];
}
