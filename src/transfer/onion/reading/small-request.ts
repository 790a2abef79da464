import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { linkSignals, onAbort } from "../../../async/abort.ts";
import type { SocksAddress } from "./socks.ts";

export interface SmallAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

export interface SmallRequestOptions {
  readonly socks: SocksAddress;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent with PUT. */
  readonly body?: Uint8Array | undefined;
  /** Bytes of the body that are read at most. */
  readonly maxBytes: number;
  /** For the whole exchange, building circuits included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One GET, or PUT with a body, through tor, on a circuit of its own. The body is cut at `maxBytes`. Resolves with an answer of any status.
 * @throws the network's error; a `TimeoutError` after `timeoutMs`; the signal's reason
 */
export async function smallRequest(options: SmallRequestOptions): Promise<SmallAnswer> {
  const { default: torRequest } = await import("tor-request");
  const { socks, maxBytes, signal } = options;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<SmallAnswer>();
  // The library keeps one global proxy address and reads it in `request`: no other code may run in between.
  torRequest.setTorAddress(`${randomUUID()}:x@${socks.host}`, socks.port);
  const request = torRequest.request({
    uri: options.url,
    ...(options.body ? { method: "PUT", body: Buffer.from(options.body) } : {}),
    headers: { ...options.headers, connection: "close" },
    followRedirect: false,
    gzip: false,
    encoding: null,
    timeout: options.timeoutMs,
  });
  using bounded = linkSignals([signal], options.timeoutMs);
  using _ = onAbort(bounded.signal, (reason) => {
    reject(reason);
    request.abort();
  });
  const chunks: Uint8Array[] = [];
  let [bytes, status] = [0, 0];
  const finish = () => resolve({ status, body: Buffer.concat(chunks).subarray(0, maxBytes) });
  request.on("error", reject);
  request.on("response", (response: IncomingMessage) => {
    status = response.statusCode ?? 0;
  });
  request.on("data", (chunk: Uint8Array) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < maxBytes) return;
    finish();
    request.abort();
  });
  request.on("end", finish);
  return await promise;
}
