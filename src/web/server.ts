import type { AddressInfo } from "node:net";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { z } from "zod";
import type { ErrorClass } from "../errors/entry.ts";
import { IchainError, isIchainError } from "../errors/error.ts";
import { toJson } from "../ui/format.ts";
import type { WebRoute } from "./endpoint.ts";
import type { EventHub } from "./events.ts";
import type { PageFiles } from "./files.ts";
import { cookieOf, refuseRequest } from "./guard.ts";
import { securityHeaders } from "./headers.ts";
import type { Session } from "./session.ts";

const HOST = "127.0.0.1";
/** Of a request, bytes. */
const MAX_BODY_BYTES = 64 << 10;
const MAX_HEADER_BYTES = 8192;
/** For a request to arrive, milliseconds. */
const REQUEST_MS = 10_000;
const MAX_CONNECTIONS = 64;

export interface WebRequest {
  /** 0 for any that is free. */
  readonly port: number;
  readonly page: PageFiles;
  readonly session: Session;
  readonly hub: EventHub;
  readonly routes: readonly WebRoute[];
}

/** The HTTP status of an error, by its class. */
const statuses: Readonly<Record<ErrorClass, number>> = {
  internal: 500,
  usage: 400,
  config: 409,
  unavailable: 503,
  funds: 409,
  refused: 409,
  untrusted: 502,
  failed: 409,
  interrupted: 503,
};

/** What the page exchanges the link's token for its cookie and key with. */
export const tokenSchema = z.strictObject({
  token: z.string().max(128).describe("of the link, which is worth nothing afterwards"),
});

/**
 * Serves the page and its API on loopback until disposed of.
 * @throws WEB_FAILED where the port is taken or not allowed
 */
export async function serveWeb(request: WebRequest): Promise<{ readonly port: number } & AsyncDisposable> {
  const { page, session, hub } = request;
  const ending = new AbortController();
  const server = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    http: { maxHeaderSize: MAX_HEADER_BYTES },
  });
  server.server.maxConnections = MAX_CONNECTIONS;
  server.removeContentTypeParser("text/plain");
  const headers = securityHeaders(page.inlineScripts);
  let port = 0;
  const cookie = () => `ichain-web-${port}`;

  server.addHook("onRequest", async (asked, reply) => {
    void reply.headers(headers);
    const path = asked.url.split("?", 1)[0]!;
    const isFile = page.files.has(path) && asked.method !== "POST";
    const refused = refuseRequest({ method: asked.method, headers: asked.headers, isFile }, port);
    if (refused !== undefined) return fail(reply, refused.status, refusal(refused.why));
    if (isFile || path === "/api/session") return;
    const shown = { cookie: cookieOf(asked.headers.cookie, cookie()), key: keyOf(asked, path) };
    if (!session.holds(shown))
      return fail(reply, 401, refusal("This browser has not opened the page by its link."));
  });
  server.setErrorHandler((error, _asked, reply) => answerError(reply, error));
  server.setNotFoundHandler((_asked, reply) => fail(reply, 404, refusal("There is no such page.")));

  for (const [path, { type, body }] of page.files)
    server.get(path, (_asked, reply) => reply.type(type).send(body));
  server.post("/api/session", async (asked, reply) => {
    const shown = tokenSchema.safeParse(asked.body);
    const held = shown.success ? session.exchange(shown.data.token) : undefined;
    if (held === undefined)
      return fail(reply, 401, refusal("The link was used already, or is not this page's."));
    void reply.header("set-cookie", `${cookie()}=${held.cookie}; HttpOnly; SameSite=Strict; Path=/`);
    return json(reply, { key: held.key });
  });
  server.get("/api/events", (asked, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { ...headers, "content-type": "text/event-stream" });
    const last = asked.headers["last-event-id"];
    if (!hub.follow(reply.raw, typeof last === "string" ? last : undefined)) reply.raw.destroy();
  });
  for (const one of request.routes) addRoute(server, one, ending.signal);

  try {
    await server.listen({ host: HOST, port: request.port });
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new IchainError(
      "WEB_FAILED",
      `The port ${request.port} ${taken ? "is taken by another process" : "cannot be opened"}.`,
      { cause, details: { port: request.port } },
    );
  }
  port = (server.server.address() as AddressInfo).port;
  return {
    port,
    async [Symbol.asyncDispose]() {
      ending.abort();
      hub[Symbol.dispose]();
      await server.close();
    },
  };
}

/** A browser's stream of events cannot send a header. */
function keyOf({ headers, query }: FastifyRequest, path: string): string | undefined {
  const key = path === "/api/events" ? (query as { key?: unknown }).key : headers["x-page-key"];
  return typeof key === "string" ? key : undefined;
}

function addRoute(server: FastifyInstance, { method, path, answer }: WebRoute, signal: AbortSignal): void {
  server.route({
    method,
    url: path,
    handler: async (asked, reply) => {
      const given = method === "GET" ? asked.query : asked.body;
      return json(reply, await answer({ ...(given as object), ...(asked.params as object) }, { signal }));
    },
  });
}

function answerError(reply: FastifyReply, error: unknown): FastifyReply {
  if (isIchainError(error)) return fail(reply, statuses[error.class], error);
  const { statusCode = 500, message } = error as { statusCode?: number; message: string };
  if (statusCode < 500) return fail(reply, statusCode, refusal(message));
  return fail(reply, 500, new IchainError("INTERNAL", message, { cause: error }));
}

function fail(reply: FastifyReply, status: number, error: IchainError): FastifyReply {
  const { code, message, hint, retryable, details } = error;
  return json(reply.code(status), { error: { code, message, hint, retryable, details } });
}

function json(reply: FastifyReply, data: unknown): FastifyReply {
  return reply.type("application/json; charset=utf-8").send(toJson(data));
}

const refusal = (why: string): IchainError => new IchainError("WEB_REFUSED", why);
