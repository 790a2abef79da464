import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { CID } from "multiformats/cid";
import { type Abortable, onAbort } from "../async/abort.ts";
import { IchainError, isIchainError } from "../errors/error.ts";
import type { Blocks } from "./blocks.ts";
import { carOf } from "./car.ts";
import { parseCid } from "./cid.ts";
import { walk } from "./walk.ts";

const MAX_CONNECTIONS = 64;
/** Of a request's line and headers, bytes. */
const MAX_HEADER_BYTES = 4096;
/** For a request to arrive, and for a connection without one, milliseconds. */
const REQUEST_MS = 10_000;
/** A reader that takes nothing for so long is let go, milliseconds. */
const IDLE_MS = 60_000;
/** Largest file that is served as an archive, bytes; block by block any is. */
const MAX_CAR_BYTES = 16 * 1024 ** 3;

const formats = { raw: "application/vnd.ipld.raw", car: "application/vnd.ipld.car" } as const;
type Format = keyof typeof formats;

/**
 * A trustless gateway (https://specs.ipfs.tech/http-gateways/trustless-gateway/) of the blocks that this home has:
 * `GET /ipfs/CID?format=raw` and `?format=car`. It fetches nothing for who asks.
 * @param port 0 for any that is free
 * @throws CONTENT_LISTEN_FAILED
 */
export async function serveGateway(
  blocks: Blocks,
  { host, port, signal }: Abortable & { readonly host: string; readonly port: number },
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: REQUEST_MS,
    },
    (request, response) => void respond(request, response, blocks, signal),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_MS;
  try {
    await once(server.listen({ host, port, exclusive: true }), "listening");
  } catch (cause) {
    throw new IchainError("CONTENT_LISTEN_FAILED", `The gateway cannot listen on ${host}:${port}.`, {
      cause,
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  blocks: Blocks,
  signal: AbortSignal,
): Promise<void> {
  using _ = onAbort(signal, () => response.destroy());
  try {
    const asked = read(request);
    if (typeof asked === "number") return refuse(response, asked);
    const { cid, format } = asked;
    const block = await blocks.find(cid);
    if (block === undefined) return refuse(response, 404);
    response.writeHead(200, {
      "content-type": format === "car" ? `${formats.car}; version=1; order=dfs; dups=n` : formats.raw,
      "cache-control": "public, max-age=29030400, immutable",
      etag: `"${cid}.${format}"`,
      "x-content-type-options": "nosniff",
      ...(format === "raw" ? { "content-length": block.length } : {}),
    });
    if (request.method === "HEAD") response.end();
    else if (format === "raw") response.end(block);
    else {
      const walked = walk(cid, { get: (one) => blocks.get(one), most: MAX_CAR_BYTES, width: 1, signal });
      await pipeline(Readable.from(carOf(cid, walked)), response);
    }
  } catch {
    // Half an archive must not look like a whole one: the connection ends before its length is told.
    if (response.headersSent) response.destroy();
    else refuse(response, 500);
  }
}

/** What is asked for, or the status of a refusal. */
function read({ method, url = "/", headers }: IncomingMessage): { cid: CID; format: Format } | number {
  if (method !== "GET" && method !== "HEAD") return 405;
  const { pathname, searchParams } = new URL(url, "http://gateway");
  const [, text] = /^\/ipfs\/([A-Za-z0-9]+)\/?$/.exec(pathname) ?? [];
  if (text === undefined) return 404;
  const wanted = searchParams.get("format") ?? "";
  const format = (Object.keys(formats) as Format[]).find(
    (one) => one === wanted || (wanted === "" && headers.accept?.includes(formats[one])),
  );
  if (format === undefined) return 406;
  try {
    return { cid: parseCid(text), format };
  } catch (error) {
    if (isIchainError(error)) return 400;
    throw error;
  }
}

const reasons: Readonly<Record<number, string>> = {
  400: "That is not a CID that files have.",
  404: "This gateway has /ipfs/CID of its own blocks, and not this one.",
  405: "Only GET and HEAD are understood.",
  406: "Ask with ?format=raw or ?format=car: this gateway leaves the check to you.",
  500: "The gateway failed to answer.",
};

function refuse(response: ServerResponse, status: number): void {
  const body = `${reasons[status]}\n`;
  response.writeHead(status, {
    "content-type": "text/plain",
    "content-length": Buffer.byteLength(body),
    "x-content-type-options": "nosniff",
    connection: "close",
  });
  response.end(body);
}
