import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { IchainError } from "../../errors/error.ts";
import type { Blob } from "../../ports/transport.ts";
import type { Hex } from "../../protocol/ids.ts";
import { leavesOf } from "./hash-pieces.ts";
import type { PieceServer, PieceServerOptions } from "./ports.ts";
import { AccessList } from "./serving/access-list.ts";
import { answer, empty, type Served } from "./serving/answer.ts";
import { ConnectionLimiter } from "./serving/connection-limiter.ts";
import { defaultLimits, MAX_HEADER_BYTES, UNAUTHENTICATED_MS } from "./serving/limits.ts";
import { RateCap } from "./serving/rate-cap.ts";
import { RequestQueue } from "./serving/request-queue.ts";
import { cutUnlessSent } from "./serving/send.ts";
import { CAPSULE_MAX_BYTES } from "./wire.ts";

/**
 * Serves blobs over the piece protocol (docs/protocol.md, "Piece protocol") to readers that show an admitted token.
 * Every other request gets an empty 403; what is not HTTP gets no answer, and its connection is cut.
 * @example
 * const server = createPieceServer({ token, blobs: [blob] });
 * await server.listen({ unix: "/run/pieces.sock" });
 */
export function createPieceServer(options: PieceServerOptions): PieceServer {
  const { maxNotices: readerNotices = defaultLimits.readerNotices } = options;
  const limits = { ...defaultLimits, readerNotices, ...options.limits };
  const served = new Map<Hex, Served>();
  const feeds = new Map((options.feeds ?? []).map((feed) => [feed.id.toLowerCase() as Hex, feed]));
  const shutdown = new AbortController();
  const connections = new ConnectionLimiter(limits.connections);
  const readers = new AccessList(limits);
  readers.admit(options.token);
  const rateCap = limits.bytesPerSecond === undefined ? undefined : new RateCap(limits.bytesPerSecond);

  const queue = new RequestQueue();
  const handle = (request: IncomingMessage, response: ServerResponse) =>
    queue.enqueue(request.socket, response, () => serve(request, response));

  const serve = (request: IncomingMessage, response: ServerResponse) => {
    // Only a notice has a body, once: the connection of a request that has one is closed after the answer.
    if (request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined)
      response.shouldKeepAlive = false;
    const reader = readers.authenticate(request.headers.authorization);
    if (!reader) {
      response.shouldKeepAlive = false;
      empty(response, 403);
      return cutUnlessSent(response, limits.stallMs);
    }
    if (!reader.addConnection(request.socket)) return void response.destroy();
    if (connections.countRequest(request.socket) >= limits.requestsPerConnection)
      response.shouldKeepAlive = false;
    const rateCaps = [reader.rateCap, rateCap].filter((cap) => cap !== undefined);
    const sendOptions = { rateCaps, stallMs: limits.stallMs, signal: shutdown.signal };
    const onNotice = request.method === "PUT" && reader.addNotice() ? options.onNotice : undefined;
    const store = { blobs: served, feeds, onNotice, readSignal: shutdown.signal };
    answer(request, response, store, sendOptions).then(
      () => cutUnlessSent(response, limits.stallMs),
      () => response.destroy(),
    );
  };

  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: UNAUTHENTICATED_MS,
      requestTimeout: UNAUTHENTICATED_MS,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: UNAUTHENTICATED_MS / 4,
      requireHostHeader: false,
      noDelay: true,
    },
    handle,
  );
  server.on("connection", (socket) => connections.admit(socket));
  server.on("checkContinue", handle).on("checkExpectation", handle);
  server.on("clientError", (_error, socket) => socket.destroy());
  server.on("upgrade", (_request, socket) => socket.destroy());
  server.on("connect", (_request, socket) => socket.destroy());

  const addBlob = async (blob: Blob) => {
    const root = blob.root.toLowerCase() as Hex;
    const known = served.get(root);
    const leaves = known?.leaves ?? leavesOf(blob, shutdown.signal);
    served.set(root, { blob, leaves, capsules: known?.capsules ?? new Map() });
    try {
      await leaves;
    } catch (error) {
      served.delete(root);
      throw error;
    }
  };

  return {
    addBlob,
    removeBlob: (root) => void served.delete(root.toLowerCase() as Hex),
    addFeed: (feed) => void feeds.set(feed.id.toLowerCase() as Hex, feed),
    admit: (token) => readers.admit(token),
    dismiss: (token) => readers.dismiss(token),
    async listen(target) {
      await Promise.all(options.blobs.map(addBlob));
      server.listen("unix" in target ? { path: target.unix } : target);
      await once(server, "listening");
    },
    putCapsule(root, fingerprint, capsule) {
      const entry = served.get(root.toLowerCase() as Hex);
      if (!entry || capsule.length > CAPSULE_MAX_BYTES) {
        throw new IchainError(
          "TRANSFER_BAD_CAPSULE",
          entry ? "A capsule is over 1 KiB." : `No blob ${root} is hosted here.`,
        );
      }
      entry.capsules.set(fingerprint.toLowerCase() as Hex, Uint8Array.from(capsule));
    },
    async close() {
      shutdown.abort();
      connections.clear();
      if (server.listening) {
        server.close();
        await once(server, "close");
      }
    },
  };
}
