import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { IchainError } from "../../errors/error.ts";
import type { Blob } from "../../ports/transport.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { PieceServer, PieceServerOptions } from "./ports.ts";
import { AccessList } from "./serving/access-list.ts";
import { answer, empty, type Served } from "./serving/answer.ts";
import { ConnectionLimiter } from "./serving/connection-limiter.ts";
import { leavesOf } from "./serving/leaves.ts";
import { defaultLimits, MAX_HEADER_BYTES, STRANGER_MS } from "./serving/limits.ts";
import { RateCap } from "./serving/rate-cap.ts";
import { RequestQueue } from "./serving/request-queue.ts";
import { cutUnlessTaken } from "./serving/send.ts";
import { CAPSULE_MAX_BYTES } from "./wire.ts";

/**
 * Serves blobs over the piece protocol to whoever shows a token that was let in; everybody else gets an empty 403,
 * whatever was asked. Malformed requests are cut off without a word.
 */
export function createPieceServer(options: PieceServerOptions): PieceServer {
  const limits = { ...defaultLimits, ...options.limits };
  const served = new Map<Hex, Served>();
  const feeds = new Map((options.feeds ?? []).map((feed) => [feed.id.toLowerCase() as Hex, feed]));
  const shutdown = new AbortController();
  const doorman = new ConnectionLimiter(limits.connections);
  const guests = new AccessList(limits);
  guests.admit(options.token);
  const rateCap = limits.bytesPerSecond === undefined ? undefined : new RateCap(limits.bytesPerSecond);

  const turns = new RequestQueue();
  const handle = (request: IncomingMessage, response: ServerResponse) =>
    turns.take(request.socket, response, () => serve(request, response));

  const serve = (request: IncomingMessage, response: ServerResponse) => {
    // A body is never wanted: whoever sends one loses the connection after the answer.
    if (request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined)
      response.shouldKeepAlive = false;
    const guest = guests.recognise(request.headers.authorization);
    if (!guest) {
      response.shouldKeepAlive = false;
      empty(response, 403);
      return cutUnlessTaken(response, limits.stallMs);
    }
    if (!guest.seat(request.socket)) return void response.destroy();
    if (doorman.recognise(request.socket) >= limits.requestsPerConnection) response.shouldKeepAlive = false;
    const rateCaps = [guest.rateCap, rateCap].filter((cap) => cap !== undefined);
    const sending = { rateCaps, stallMs: limits.stallMs, signal: shutdown.signal };
    answer(request, response, { blobs: served, feeds, readSignal: shutdown.signal }, sending).then(
      () => cutUnlessTaken(response, limits.stallMs),
      () => response.destroy(),
    );
  };

  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: STRANGER_MS,
      requestTimeout: STRANGER_MS,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: STRANGER_MS / 4,
      requireHostHeader: false,
      noDelay: true,
    },
    handle,
  );
  server.on("connection", (socket) => doorman.admit(socket));
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
    admit: (token) => guests.admit(token),
    dismiss: (token) => guests.dismiss(token),
    async listen(target) {
      await Promise.all(options.blobs.map(addBlob));
      server.listen("unix" in target ? { path: target.unix } : target);
      await once(server, "listening");
    },
    putCapsule(root, fingerprint, capsule) {
      const entry = served.get(root.toLowerCase() as Hex);
      if (!entry || capsule.length > CAPSULE_MAX_BYTES) {
        throw new IchainError(entry ? "A capsule is over 1 KiB." : `No blob ${root} is hosted here.`, {
          code: "TRANSFER_BAD_CAPSULE",
          class: "internal",
          hint: "Host the blob before its capsules, and publish one session key a capsule.",
        });
      }
      entry.capsules.set(fingerprint.toLowerCase() as Hex, Uint8Array.from(capsule));
    },
    async close() {
      shutdown.abort();
      doorman.clear();
      if (server.listening) {
        server.close();
        await once(server, "close");
      }
    },
  };
}
