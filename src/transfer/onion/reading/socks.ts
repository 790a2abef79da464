import type { Socket } from "node:net";
import { dial, type LaneIo } from "../../pieces/lane-dialer.ts";

export interface SocksAddress {
  readonly host: string;
  readonly port: number;
}

export interface SocksTarget {
  /** Where tor listens. */
  readonly socks: SocksAddress;
  /** At most 255 bytes; only connections with the same credentials share a circuit (`IsolateSOCKSAuth`). */
  readonly credentials: string;
  readonly host: string;
  readonly port: number;
}

/** Milliseconds that a connection may take: descriptor, introduction and rendezvous. */
const CONNECT_MS = 60_000;
/** By address type (RFC 1928, section 5). */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 1: 4, 4: 16 };

/**
 * Connects through tor's SOCKS5 port (RFC 1928) with user name and password (RFC 1929). Resolves as soon as the
 * connection has been requested: what is written before the host is reached goes out with the first cell, which saves
 * a round trip. `onOutcome` is called once, when the host was reached or the attempt failed.
 * @throws the socket's error when tor does not answer or refuses the login
 */
export function connectThroughTor(
  { socks, credentials, host, port }: SocksTarget,
  io: LaneIo,
  onOutcome: (connected: boolean) => void,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const replies = handshake();
  let isOpen = false;
  const socket = dial(socks, (bytes) => {
    if (isOpen) return io.onBytes(bytes);
    const state = replies(bytes);
    if (state.failure !== undefined) socket.destroy(new Error(state.failure));
    if (state.reached === "method") socket.write(withLengths([1], credentials, "x"));
    if (state.reached === "login") {
      socket.write(Buffer.concat([withLengths([5, 1, 0, 3], host), Buffer.of(port >> 8, port & 0xff)]));
      resolve(socket);
    }
    if (state.reached !== "host") return true;
    isOpen = true;
    finish(true);
    io.onReached();
    return state.rest.length === 0 || io.onBytes(state.rest);
  });
  const timer = setTimeout(() => socket.destroy(new Error("tor did not connect in time")), CONNECT_MS);
  let isFinished = false;
  const finish = (connected: boolean) => {
    if (isFinished) return;
    isFinished = true;
    clearTimeout(timer);
    onOutcome(connected);
  };
  socket.once("connect", () => socket.write(Buffer.of(5, 1, 2)));
  socket.once("end", () => isOpen || socket.destroy(new Error("tor ended the connection")));
  socket.on("error", (error) => {
    finish(false);
    reject(error);
  });
  socket.once("close", () => {
    clearTimeout(timer);
    reject(new Error("the connection was cut"));
  });
  return promise;
}

function withLengths(head: readonly number[], ...texts: readonly string[]): Buffer {
  const parts = texts.map((text) => Buffer.from(text, "latin1"));
  return Buffer.concat([Buffer.from(head), ...parts.flatMap((part) => [Buffer.of(part.length), part])]);
}

interface HandshakeState {
  readonly reached?: "method" | "login" | "host";
  readonly failure?: string;
  /** Bytes after the last reply. */
  readonly rest: Buffer;
}

/** Reads tor's three replies, however their bytes are split; tor sends each only after the request for it. */
function handshake(): (bytes: Buffer) => HandshakeState {
  let step: "method" | "login" | "host" = "method";
  let have = Buffer.alloc(0);
  const none = Buffer.alloc(0);
  return (bytes) => {
    have = Buffer.concat([have, bytes]);
    const length = step === "host" ? hostReplyBytes(have) : 2;
    if (length === undefined || have.length < length) return { rest: none };
    const [rest, reply, reached] = [have.subarray(length), have.subarray(0, length), step];
    have = Buffer.alloc(0);
    const wanted = { method: [5, 2], login: [1, 0], host: [5, 0] }[step];
    if (reply[0] !== wanted[0] || reply[1] !== wanted[1])
      return { rest, failure: `tor refused at the ${step} with ${reply[1]}` };
    if (step !== "host" && rest.length > 0)
      return { rest, failure: "tor sent bytes before the next request" };
    step = step === "method" ? "login" : "host";
    return { rest, reached };
  };
}

/** Length of version, code, zero, address and port; undefined while too few bytes have been received. */
function hostReplyBytes(have: Buffer): number | undefined {
  if (have.length < 5) return undefined;
  const address = have[3] === 3 ? 1 + have[4]! : ADDRESS_BYTES[have[3]!];
  return address === undefined ? 4 : 4 + address + 2;
}
