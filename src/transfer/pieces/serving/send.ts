import { open } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type { ByteRange } from "../wire.ts";
import { SEND_CHUNK_BYTES } from "./limits.ts";
import type { RateCap } from "./rate-cap.ts";

export interface Sending {
  /** Each must let the bytes through. */
  readonly rateCaps: readonly RateCap[];
  readonly stallMs: number;
  readonly signal: AbortSignal;
}

/**
 * Streams `range` of the file into the response, headers already written, and waits for the reader to
 * take it in. A reader that does not make room for the next chunk within `stallMs` is cut off.
 */
export async function sendRange(
  response: ServerResponse,
  path: string,
  range: ByteRange,
  { rateCaps, stallMs, signal }: Sending,
): Promise<void> {
  await using file = await open(path, "r");
  // One buffer, used again once the kernel has it: fresh ones cost more in collection than in sending.
  const buffer = Buffer.allocUnsafe(Math.min(SEND_CHUNK_BYTES, range.last + 1 - range.first));
  for (let at = range.first; at <= range.last; ) {
    const want = Math.min(buffer.length, range.last + 1 - at);
    for (const cap of rateCaps) await cap.take(want, signal);
    const { bytesRead } = await file.read(buffer, 0, want, at);
    // The file shrank under us: cut the connection, so that nobody takes what came for the whole.
    if (bytesRead === 0) return void response.destroy();
    at += bytesRead;
    if (!(await written(response, buffer.subarray(0, bytesRead), stallMs))) return;
  }
}

/** The same for bytes that lie in memory already: no answer has a copy of its own of them. */
export async function sendBytes(
  response: ServerResponse,
  bytes: Buffer,
  { rateCaps, stallMs, signal }: Sending,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += SEND_CHUNK_BYTES) {
    const chunk = bytes.subarray(at, at + SEND_CHUNK_BYTES);
    for (const cap of rateCaps) await cap.take(chunk.length, signal);
    if (!(await written(response, chunk, stallMs))) return;
  }
}

/** The same for what is left of an answer that has ended: its last bytes, or all of a small one. */
export function cutUnlessTaken(response: ServerResponse, stallMs: number): void {
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
