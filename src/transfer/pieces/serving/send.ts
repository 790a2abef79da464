import { once } from "node:events";
import { open } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type { ByteRange } from "../wire.ts";
import { SEND_CHUNK_BYTES } from "./limits.ts";
import type { RateCap } from "./rate-cap.ts";

export interface Sending {
  readonly rateCap: RateCap | undefined;
  readonly stallMs: number;
  readonly signal: AbortSignal;
}

/**
 * Streams `range` of the file into the response, headers already written, and waits for the reader to
 * take it in. A reader that does not make room within `stallMs` is cut off.
 */
export async function sendRange(
  response: ServerResponse,
  path: string,
  range: ByteRange,
  sending: Sending,
): Promise<void> {
  await using file = await open(path, "r");
  for (let at = range.first; at <= range.last; ) {
    const want = Math.min(SEND_CHUNK_BYTES, range.last + 1 - at);
    await sending.rateCap?.take(want, sending.signal);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(want), 0, want, at);
    // The file shrank under us: cut the connection, so that nobody takes what came for the whole.
    if (bytesRead === 0 || response.destroyed) return void response.destroy();
    at += bytesRead;
    if (!response.write(buffer.subarray(0, bytesRead))) await drained(response, sending);
  }
}

async function drained(response: ServerResponse, { stallMs, signal }: Sending): Promise<void> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), stallMs);
  const gone = () => patience.abort();
  response.once("close", gone);
  try {
    await once(response, "drain", { signal: AbortSignal.any([signal, patience.signal]) });
  } finally {
    clearTimeout(timer);
    response.off("close", gone);
  }
}
