import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { PIECE_BYTES } from "../../../src/protocol/limits.ts";
import type { Endpoint } from "../../../src/protocol/parcel/locator.ts";
import { directDialer } from "../../../src/transfer/direct/direct-dialer.ts";
import { reachOf } from "../../../src/transfer/direct/reach.ts";
import type { LaneDialer } from "../../../src/transfer/pieces/lane-dialer.ts";
import { type ByteRange, encodeSize, parseRange, parseRoute } from "../../../src/transfer/pieces/wire.ts";
import type { TestBlob } from "../parcel/blob.ts";

export interface HostedRequest {
  readonly kind: "pieces" | "data";
  readonly range: ByteRange;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The honest body. */
  readonly body: Buffer;
  /** Earlier requests of this kind. */
  readonly before: number;
}

export interface HostileHost {
  readonly endpoint: Endpoint;
  readonly port: number;
  readonly dialer: LaneDialer;
  /** Ranges of the blob that were requested, in order. */
  readonly ranges: ByteRange[];
}

/** Serves a blob by the piece protocol, except for requests that `misbehave` answers itself by returning true. */
export async function startHostileHost(
  t: TestContext,
  blob: TestBlob,
  misbehave: (asked: HostedRequest) => boolean,
): Promise<HostileHost> {
  const ranges: ByteRange[] = [];
  const counts = { pieces: 0, data: 0 };
  const server = createServer((request, response) => {
    const route = parseRoute(request.url ?? "");
    const kind = route?.kind === "pieces" ? "pieces" : "data";
    const range = parseRange(request.headers.range, blob.size) ?? { first: 0, last: blob.size - 1 };
    const inlined = route?.kind === "pieces" && blob.size <= route.inline ? blob.content : Buffer.alloc(0);
    const body =
      kind === "pieces"
        ? Buffer.concat([encodeSize(blob.size), ...blob.leaves, inlined])
        : blob.content.subarray(range.first, range.last + 1);
    if (kind === "data") ranges.push(range);
    if (misbehave({ kind, range, request, response, body, before: counts[kind]++ })) return;
    if (kind === "data") {
      const contentRange = `bytes ${range.first}-${range.last}/${blob.size}`;
      response.writeHead(206, { "Content-Range": contentRange, "Content-Length": body.length });
    } else response.writeHead(200, { "Content-Length": body.length });
    response.end(body);
  }).listen({ host: "127.0.0.1", port: 0 });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  const endpoint: Endpoint = { transport: "direct", address, token: `0x${"00".repeat(16)}` };
  return { endpoint, port, dialer: directDialer(address, reachOf("127.0.0.1", undefined)), ranges };
}

/** True when `piece` lies in the range. */
export function covers(range: ByteRange, piece: number): boolean {
  return range.first <= piece * PIECE_BYTES && range.last >= piece * PIECE_BYTES;
}
