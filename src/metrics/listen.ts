import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Control } from "../control/control.ts";
import type { DaemonStatus } from "../control/messages.ts";
import { IchainError } from "../errors/error.ts";
import { createExposition } from "./exposition.ts";
import type { Tally } from "./tally.ts";

const HOST = "127.0.0.1";
/** Connections at once; Prometheus keeps one. */
const MAX_CONNECTIONS = 8;
/** Of a request's line and headers, bytes. */
const MAX_HEADER_BYTES = 4096;
/** For a request to arrive, and for a connection without one, milliseconds. */
const REQUEST_MS = 5_000;
/** What was read of the chain serves all requests for so long, milliseconds: each reading asks the node. */
const FRESH_MS = 5_000;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface MetricsRequest {
  /** 0 for any that is free. */
  readonly port: number;
  readonly control: Pick<Control, "status" | "figures">;
  readonly tally: Tally;
}

/**
 * Serves `/metrics` and `/healthz` on loopback until disposed of. Every user of the machine may read them: they have no
 * secret, and take no request that changes anything.
 * @throws METRICS_FAILED where the port is taken or not allowed
 */
export async function serveMetrics({
  port,
  control,
  tally,
}: MetricsRequest): Promise<{ readonly port: number } & AsyncDisposable> {
  const exposition = createExposition();
  const read = freshFor(FRESH_MS, async () => {
    const [status, figures] = await Promise.all([control.status(), control.figures()]);
    return { status, figures };
  });
  const render = freshFor(FRESH_MS, async (): Promise<Answer> => {
    const body = await exposition.render({ ...(await read()), tally });
    return { status: 200, type: exposition.contentType, body };
  });
  const pages: ReadonlyMap<string, () => Promise<Answer>> = new Map([
    ["/metrics", render],
    ["/healthz", async () => healthAnswer((await read()).status)],
  ]);
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => void respond(request, response, pages),
  );
  server.maxConnections = MAX_CONNECTIONS;
  try {
    await once(server.listen({ host: HOST, port, exclusive: true }), "listening");
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new IchainError(
      "METRICS_FAILED",
      `The port ${port} for metrics ${taken ? "is taken by another process" : "cannot be opened"}.`,
      { cause, details: { port } },
    );
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
  pages: ReadonlyMap<string, () => Promise<Answer>>,
): Promise<void> {
  const { status, type, body, headers = {} } = await answerTo(request, pages).catch(() => failed);
  // A body that came with the request is not read: the connection ends with it.
  const hasBody = request.headers["content-length"] !== undefined || "transfer-encoding" in request.headers;
  response.writeHead(status, {
    ...headers,
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(hasBody || status >= 400 ? { connection: "close" } : {}),
  });
  response.end(body);
}

const failed: Answer = { status: 500, type: "text/plain", body: "The daemon failed to answer.\n" };

async function answerTo(
  request: IncomingMessage,
  pages: ReadonlyMap<string, () => Promise<Answer>>,
): Promise<Answer> {
  const refuse = (status: number, body: string, headers = {}) => ({
    ...{ status, type: "text/plain", body: `${body}\n`, headers },
  });
  // A web page may let its own name lead to this address (DNS rebinding); the browser then says that name here.
  const { localPort } = request.socket;
  if (!["127.0.0.1", "localhost"].some((name) => request.headers.host === `${name}:${localPort}`)) {
    return refuse(403, "Ask for this address by 127.0.0.1 or localhost.");
  }
  if (request.method !== "GET") return refuse(405, "Only GET is understood.", { allow: "GET" });
  const page = pages.get(request.url ?? "");
  return page ? page() : refuse(404, "There are /metrics and /healthz.");
}

/** 503 where the daemon lacks something, or is about to end. One that has just started lacks nothing yet. */
function healthAnswer({ kind, state, health }: DaemonStatus): Answer {
  const lacking = health.filter(({ ok }) => !ok).map(({ name, found }) => ({ name, found }));
  const ok = lacking.length === 0 && state !== "stopping";
  return {
    status: ok ? 200 : 503,
    type: "application/json",
    body: `${JSON.stringify({ ok, kind, state, lacking })}\n`,
  };
}

/** One reading at a time, and none while the last one is younger than `ms`; one that failed is not kept. */
function freshFor<Value>(ms: number, read: () => Promise<Value>): () => Promise<Value> {
  let last: { readonly at: number; readonly value: Promise<Value> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at > ms) {
      const reading = { at: now, value: read() };
      last = reading;
      reading.value.catch(() => {
        if (last === reading) last = undefined;
      });
    }
    return last.value;
  };
}
