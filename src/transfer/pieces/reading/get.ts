import { type Agent, type IncomingMessage, request } from "node:http";
import type { Endpoint } from "../../../protocol/locator.ts";
import { badAnswer, forbidden, notHosted, stalled, unreachable } from "../errors.ts";
import type { LaneDialer } from "../ports.ts";
import { authorization, type ByteRange } from "../wire.ts";

const MAX_HEADER_BYTES = 8192;

export interface GetRequest {
  readonly dialer: LaneDialer;
  readonly agent: Agent;
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly range?: ByteRange | undefined;
  /** For errors: the piece that is asked for. */
  readonly piece?: number | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds until the headers must be there, whatever trickles in meanwhile. */
  readonly headMs: number;
}

export interface Answer {
  readonly body: IncomingMessage;
  /** Bytes of the body, as declared; HTTP's parser cuts whatever comes beyond. */
  readonly length: number;
}

/**
 * One GET. Resolves with headers checked: the status that was asked for, an exact length, nothing
 * compressed, chunked or redirected.
 * @throws TRANSFER_UNREACHABLE, _STALLED, _FORBIDDEN, _NOT_HOSTED, _BAD_ANSWER; the signal's reason
 */
export async function get(asked: GetRequest): Promise<Answer> {
  const body = await head(asked);
  try {
    return { body, length: check(asked, body) };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

function head(asked: GetRequest): Promise<IncomingMessage> {
  const { dialer, agent, endpoint, path, range, signal } = asked;
  return new Promise((resolve, reject) => {
    let connected = false;
    const headers = {
      Authorization: authorization(endpoint.token),
      "Accept-Encoding": "identity",
      ...(range ? { Range: `bytes=${range.first}-${range.last}` } : {}),
    };
    const { host, port } = dialer;
    const sent = request({ agent, host, port, path, headers, signal, maxHeaderSize: MAX_HEADER_BYTES });
    const timer = setTimeout(() => {
      const late = new Error("no headers in time");
      sent.destroy(connected ? stalled(late) : unreachable(late));
    }, asked.headMs);
    sent.once("socket", (socket) => {
      if (!socket.connecting) connected = true;
      else socket.once("connect", () => (connected = true));
    });
    sent.once("response", (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    sent.once("upgrade", (_response, socket) => {
      clearTimeout(timer);
      socket.destroy();
      reject(badAnswer("it switches protocols", asked.piece));
    });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      if (signal.aborted) reject(signal.reason);
      else if (error.code?.startsWith("HPE_")) reject(badAnswer("it is not HTTP", asked.piece, error));
      else if (error.name === "IchainError") reject(error);
      else reject(connected ? stalled(error) : unreachable(error));
    });
    sent.end();
  });
}

function check(asked: GetRequest, { statusCode, headers }: IncomingMessage): number {
  if (statusCode === 403) throw forbidden();
  if (statusCode === 404) throw notHosted();
  const wrong = (what: string) => badAnswer(what, asked.piece);
  if (statusCode !== (asked.range ? 206 : 200)) throw wrong(`status ${statusCode}`);
  if (headers["content-encoding"] !== undefined) throw wrong("its body is compressed");
  const length = headers["content-length"];
  if (headers["transfer-encoding"] !== undefined || !/^\d{1,15}$/.test(length ?? ""))
    throw wrong("its body has no declared length");
  if (asked.range) {
    const { first, last } = asked.range;
    if (Number(length) !== last - first + 1) throw wrong("its body is not as long as the range asked for");
    if (!headers["content-range"]?.startsWith(`bytes ${first}-${last}/`)) throw wrong("another range");
  }
  return Number(length);
}
