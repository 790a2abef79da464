import type { PieceLimits } from "../ports.ts";

export const defaultLimits: PieceLimits = {
  // A reader opens up to 32 lanes of two connections; this leaves room for two readers and strangers.
  connections: 192,
  // The same and those that it has given up and we have not noticed yet.
  readerConnections: 96,
  readerBytesPerSecond: undefined,
  bytesPerSecond: undefined,
  stallMs: 30_000,
  idleMs: 60_000,
  requestsPerConnection: 4096,
};

/** Headers of an honest request are under 400 bytes. */
export const MAX_HEADER_BYTES = 4096;
/** A connection that has not shown the token yet gets this long to do so. */
export const STRANGER_MS = 20_000;
/** Bytes read from disk and handed to a socket at a time: also what a slow reader can make us hold. */
export const SEND_CHUNK_BYTES = 128 * 1024;
