import type { PieceLimits } from "../ports.ts";

export const defaultLimits: PieceLimits = {
  // A distant reader opens up to 64 lanes of two connections each: room for two and for unauthenticated connections.
  connections: 384,
  // Those 128, and some that the reader has given up and that are not closed here yet.
  readerConnections: 160,
  readerBytesPerSecond: undefined,
  // One, and a few more after crashes.
  readerNotices: 8,
  bytesPerSecond: undefined,
  stallMs: 30_000,
  idleMs: 60_000,
  requestsPerConnection: 4096,
};

/** Headers of an honest request are under 400 bytes. */
export const MAX_HEADER_BYTES = 4096;
/** Milliseconds that a connection may take until it shows a token. */
export const UNAUTHENTICATED_MS = 20_000;
/** Bytes read from disk and written to a socket at a time; also what is held in memory for a slow reader. */
export const SEND_CHUNK_BYTES = 128 * 1024;
