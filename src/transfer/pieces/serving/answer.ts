import type { IncomingMessage, ServerResponse } from "node:http";
import { linkSignals } from "../../../async/abort.ts";
import type { Blob, Feed, HostRequest } from "../../../ports/transport.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { FEED_PART_BYTES, NOTICE_MAX_BYTES } from "../../../protocol/limits.ts";
import { encodeSize, INLINE_MAX_BYTES, parseRange, parseRoute } from "../wire.ts";
import { type SendOptions, sendBytes, sendRange } from "./send.ts";

export interface Served {
  readonly blob: Blob;
  /** 32 bytes a piece; resolves once they are computed. */
  readonly leaves: Promise<Buffer>;
  readonly capsules: Map<Hex, Uint8Array>;
}

export interface BlobStore {
  readonly blobs: ReadonlyMap<Hex, Served>;
  readonly feeds: ReadonlyMap<Hex, Feed>;
  /** Absent where this reader may leave no notice, or no further one. */
  readonly onNotice: HostRequest["onNotice"];
  /** Aborts when the server closes. */
  readonly readSignal: AbortSignal;
}

/** Milliseconds that a reader is kept waiting for a part that does not exist yet. */
const PART_WAIT_MS = 15_000;

/**
 * Answers one authenticated request. Everything but a blob's pieces, data, capsule or notice, or a part of a feed, gets
 * 404 with an empty body.
 * @throws TRANSFER_BLOB_CHANGED; and as `sendRange`
 */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { blobs, feeds, onNotice, readSignal }: BlobStore,
  options: SendOptions,
): Promise<void> {
  const target = parseRoute(request.url ?? "");
  const route = request.method === (target?.kind === "notice" ? "PUT" : "GET") ? target : undefined;
  if (route?.kind === "part") {
    const feed = feeds.get(route.root);
    return feed ? sendPart(response, feed, route.from, readSignal) : empty(response, 404);
  }
  const entry = route && blobs.get(route.root);
  if (!route || !entry) return empty(response, 404);
  const { blob } = entry;
  if (route.kind === "notice") {
    if (!onNotice) return empty(response, 404);
    const notice = await readNotice(request);
    if (notice === undefined) return empty(response, 413);
    await onNotice(route.root, notice);
    empty(response, 200);
  } else if (route.kind === "capsule") {
    const capsule = entry.capsules.get(route.fingerprint);
    if (!capsule) return empty(response, 404);
    head(response, 200, capsule.length);
    response.end(capsule);
  } else if (route.kind === "pieces") {
    const leaves = await entry.leaves;
    const inline = blob.size > 0 && blob.size <= Math.min(route.inline, INLINE_MAX_BYTES);
    head(response, 200, encodeSize(blob.size).length + leaves.length + (inline ? blob.size : 0));
    response.write(encodeSize(blob.size));
    await sendBytes(response, leaves, options);
    if (inline) await sendRange(response, blob.path, { first: 0, last: blob.size - 1 }, options);
    response.end();
  } else {
    const range = parseRange(request.headers.range, blob.size);
    if (!range) return empty(response, 416);
    response.setHeader("Content-Range", `bytes ${range.first}-${range.last}/${blob.size}`);
    head(response, 206, range.last - range.first + 1);
    await sendRange(response, blob.path, range, options);
    response.end();
  }
}

/** Sends the part once it exists: waits `PART_WAIT_MS` at most, and no longer than the connection lives. */
async function sendPart(
  response: ServerResponse,
  feed: Feed,
  from: number,
  closed: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  using limit = linkSignals([closed, gone.signal], PART_WAIT_MS);
  const part = await feed.read(from, { signal: limit.signal });
  if (part === undefined || part.length > FEED_PART_BYTES) return empty(response, 404);
  head(response, 200, part.length);
  response.end(part);
}

/** The body; undefined when it is too long, or does not say how long it is. */
async function readNotice(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const length = request.headers["content-length"] ?? "";
  if (!/^\d{1,6}$/.test(length) || Number(length) > NOTICE_MAX_BYTES) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A status with nothing else. */
export function empty(response: ServerResponse, status: number): void {
  head(response, status, 0);
  response.end();
}

function head(response: ServerResponse, status: number, length: number): void {
  // No date: the skew of a clock identifies a host.
  response.sendDate = false;
  response.writeHead(status, { "Content-Length": length });
}
