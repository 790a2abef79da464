import { open } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type { ByteRange } from "../wire.ts";
import { SEND_CHUNK_BYTES } from "./limits.ts";
import type { RateCap } from "./rate-cap.ts";

export interface SendOptions {
  /** All of them apply. */
  readonly rateCaps: readonly RateCap[];
  /** Milliseconds for the reader to receive one chunk. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
}

/**
 * Streams `range` of the file into the response, whose headers are written already, in chunks of `SEND_CHUNK_BYTES`.
 * The connection of a reader that does not receive a chunk within `stallMs` is cut.
 * @throws the signal's reason; the file system's error
 */
export async function sendRange(
  response: ServerResponse,
  path: string,
  range: ByteRange,
  { rateCaps, stallMs, signal }: SendOptions,
): Promise<void> {
  await using file = await open(path, "r");
  // One buffer, used again once the kernel has copied it: collecting fresh ones costs more than sending.
  const buffer = Buffer.allocUnsafe(Math.min(SEND_CHUNK_BYTES, range.last + 1 - range.first));
  for (let at = range.first; at <= range.last; ) {
    const want = Math.min(buffer.length, range.last + 1 - at);
    for (const cap of rateCaps) await cap.take(want, signal);
    const { bytesRead } = await file.read(buffer, 0, want, at);
    // The file became shorter: cut the connection, so that the reader does not take the part for the whole.
    if (bytesRead === 0) return void response.destroy();
    at += bytesRead;
    if (!(await written(response, buffer.subarray(0, bytesRead), stallMs))) return;
  }
}

/** As `sendRange`, for bytes in memory; in chunks, so that a slow reader does not keep a copy of all of them. */
export async function sendBytes(
  response: ServerResponse,
  bytes: Buffer,
  { rateCaps, stallMs, signal }: SendOptions,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += SEND_CHUNK_BYTES) {
    const chunk = bytes.subarray(at, at + SEND_CHUNK_BYTES);
    for (const cap of rateCaps) await cap.take(chunk.length, signal);
    if (!(await written(response, chunk, stallMs))) return;
  }
}

/** Cuts the connection when the reader does not receive the rest of an ended answer within `stallMs`. */
export function cutUnlessSent(response: ServerResponse, stallMs: number): void {
  if (response.writableFinished || response.destroyed) return;
  const timer = setTimeout(() => response.destroy(), stallMs);
  response.once("close", () => clearTimeout(timer));
}

/** True once the kernel has taken the chunk; false when the reader is gone or too slow. */
function written(response: ServerResponse, chunk: Buffer, stallMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), stallMs);
    const settle = (error?: Error | null) => {
      clearTimeout(timer);
      response.off("close", settle);
      resolve(!error && !response.destroyed);
    };
    response.once("close", settle);
    response.write(chunk, settle);
  });
}
