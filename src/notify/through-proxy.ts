import { once } from "node:events";
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { connect, isIP, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { IchainError } from "../errors/error.ts";

/** A SOCKS5 proxy that resolves names itself, as tor's port does. */
export interface SocksProxy {
  readonly host: string;
  readonly port: number;
}

/**
 * Posts JSON to an http or https address through the proxy; resolves with the status, and reads no answer. The name of
 * the host is resolved by the proxy alone.
 * @throws TOR_REFUSED; the network's error; the signal's reason
 */
export async function postThrough(
  proxy: SocksProxy,
  address: string,
  body: string,
  signal: AbortSignal,
): Promise<number> {
  const url = new URL(address);
  const isTls = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const socket = await connectThrough(proxy, { host, port: Number(url.port) || (isTls ? 443 : 80) }, signal);
  try {
    const secured = () => tlsConnect({ socket, ...(isIP(host) === 0 && { servername: host }) });
    const request = (isTls ? tlsRequest : plainRequest)(url, {
      ...{ method: "POST", signal },
      // Without an agent: one would connect by itself, past the proxy.
      createConnection: isTls ? secured : () => socket,
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    });
    const answered = once(request, "response") as Promise<[{ statusCode?: number }]>;
    request.end(body);
    const [{ statusCode = 0 }] = await answered;
    request.destroy();
    return statusCode;
  } finally {
    socket.destroy();
  }
}

/** Variables by which most programs reach the network through the proxy (curl's manual, "Environment"). */
export function proxyVariables({ host, port }: SocksProxy): Record<string, string> {
  const url = `socks5h://${host}:${port}`;
  return { ALL_PROXY: url, all_proxy: url, HTTPS_PROXY: url, https_proxy: url, http_proxy: url };
}

/** A connection through a SOCKS5 proxy without a login (RFC 1928). */
async function connectThrough(
  proxy: SocksProxy,
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect({ ...proxy, signal });
  try {
    await once(socket, "connect", { signal });
    socket.write(Buffer.of(5, 1, 0));
    refuseUnless((await readBytes(socket, 2, signal))[1], "the login");
    const name = Buffer.from(host, "latin1");
    socket.write(
      Buffer.concat([Buffer.of(5, 1, 0, 3, name.length), name, Buffer.of(port >> 8, port & 0xff)]),
    );
    const head = await readBytes(socket, 5, signal);
    refuseUnless(head[1], "the connection");
    const addressBytes = { 1: 4, 4: 16 }[head[3]!] ?? 1 + head[4]!;
    // One byte of it is read already.
    await readBytes(socket, addressBytes - 1 + 2, signal);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function refuseUnless(code: number | undefined, what: string): void {
  if (code !== 0) throw refused(`${what}, with ${code}`);
}

function refused(what: string): IchainError {
  return new IchainError("TOR_REFUSED", `Tor refused ${what}.`);
}

async function readBytes(socket: Socket, count: number, signal: AbortSignal): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null;
    if (bytes?.length === count) return bytes;
    if (bytes !== null || socket.readableEnded) throw refused("to go on: it ended the connection");
    const readable = once(socket, "readable", { signal });
    await Promise.race([readable, once(socket, "end", { signal })]);
  }
}
