import { onAbort } from "../../../async/abort.ts";
import type { Endpoint } from "../../../protocol/parcel/locator.ts";
import { badAnswer, forbidden, hostUnreachable, notHosted, stalled } from "../errors.ts";
import { authorization, type ByteRange } from "../wire.ts";
import type { AnswerHead, Connection, Consumer } from "./lanes/connection.ts";
import type { Lane } from "./lanes/lane.ts";

export interface GetRequest {
  readonly lane: Lane;
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly range?: ByteRange | undefined;
  /** Sent with PUT. */
  readonly body?: Uint8Array | undefined;
  /** The first piece that is asked for; named in errors. */
  readonly piece?: number | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds until the headers must be complete. */
  readonly headMs: number;
}

export interface RangeAnswer {
  /** Declared length of the body, bytes; nothing beyond it is read. */
  readonly length: number;
  /**
   * Passes the body to `consume`; resolves after its last byte. Call it once.
   * @throws as `Connection.read`; the signal's reason
   */
  read(consume: Consumer): Promise<void>;
  /** Cuts the connection: the rest of the body is not needed. */
  stop(): void;
}

/**
 * Sends one GET, or PUT with a body, and checks the headers of its answer: the expected status, the exact length, no compression, chunks or
 * redirect.
 * @throws TRANSFER_UNREACHABLE, _STALLED, _FORBIDDEN, _NOT_HOSTED, _BAD_ANSWER; the signal's reason
 */
export async function requestRange(asked: GetRequest): Promise<RangeAnswer> {
  const { lane, signal } = asked;
  const { connection, head } = await ask(asked);
  try {
    const length = check(asked, head);
    return {
      length,
      async read(consume) {
        using _ = onAbort(signal, (reason) => connection.destroy(reason));
        signal.throwIfAborted();
        await connection.read(length, consume);
        lane.giveBack(connection);
      },
      stop: () => connection.destroy(),
    };
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

async function ask(asked: GetRequest): Promise<{ connection: Connection; head: AnswerHead }> {
  const { lane, signal, headMs } = asked;
  signal.throwIfAborted();
  const interrupted = Promise.withResolvers<never>();
  interrupted.promise.catch(() => {}); // nothing may be waiting for it when the signal aborts
  let connection: Connection | undefined;
  let over = false;
  const interrupt = (reason: unknown) => {
    over = true;
    connection?.destroy(reason);
    interrupted.reject(reason);
  };
  const timer = setTimeout(() => {
    const late = new Error("no headers in time");
    interrupt(connection?.isReached ? stalled(late) : hostUnreachable(late));
  }, headMs);
  using _ = onAbort(signal, interrupt);
  try {
    const borrowed = lane.borrow();
    borrowed.then(
      (late) => over && lane.giveBack(late),
      () => {},
    );
    connection = await Promise.race([borrowed, interrupted.promise]);
    const head = await Promise.race([connection.ask(requestText(asked), asked.piece), interrupted.promise]);
    return { connection, head };
  } finally {
    clearTimeout(timer);
  }
}

function requestText({ lane, endpoint, path, range, body }: GetRequest): string {
  const lines = [
    `${body ? "PUT" : "GET"} ${path} HTTP/1.1`,
    `Host: ${lane.host}`,
    `Authorization: ${authorization(endpoint.token)}`,
    "Accept-Encoding: identity",
  ];
  if (range) lines.push(`Range: bytes=${range.first}-${range.last}`);
  if (body) lines.push(`Content-Length: ${body.length}`);
  return `${lines.join("\r\n")}\r\n\r\n${Buffer.from(body ?? []).toString("latin1")}`;
}

function check(asked: GetRequest, { status, headers }: AnswerHead): number {
  if (status === 403) throw forbidden();
  if (status === 404) throw notHosted();
  const wrong = (what: string) => badAnswer(what, asked.piece);
  if (status !== (asked.range ? 206 : 200)) throw wrong(`status ${status}`);
  if (headers.has("content-encoding")) throw wrong("its body is compressed");
  const length = headers.get("content-length") ?? "";
  if (headers.has("transfer-encoding") || !/^\d{1,15}$/.test(length))
    throw wrong("its body has no declared length");
  if (asked.range) {
    const { first, last } = asked.range;
    if (Number(length) !== last - first + 1) throw wrong("its body is not as long as the range asked for");
    if (!headers.get("content-range")?.startsWith(`bytes ${first}-${last}/`)) throw wrong("another range");
  }
  return Number(length);
}
