import type { Socket } from "node:net";
import { dial } from "../../pieces/dial.ts";
import type { LaneIo } from "../../pieces/ports.ts";

export interface SocksAddress {
  readonly host: string;
  readonly port: number;
}

export interface SocksTarget {
  /** Where tor listens. */
  readonly socks: SocksAddress;
  /** At most 255 bytes; connections share a circuit only with those of the same (`IsolateSOCKSAuth`). */
  readonly credentials: string;
  readonly host: string;
  readonly port: number;
}

/** Milliseconds that a connection may take: descriptor, introduction and rendezvous. */
const CONNECT_MS = 60_000;
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 1: 4, 4: 16 };

/**
 * Connects through tor's SOCKS port (RFC 1928, 1929). Resolves as soon as the connection is asked for: what
 * is written before the host is reached goes out with the first cell, which saves a round trip.
 * `told` learns once how it went. Rejects when tor does not answer.
 */
export function connectThroughTor(
  { socks, credentials, host, port }: SocksTarget,
  io: LaneIo,
  told: (connected: boolean) => void,
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
    over(true);
    io.onReached();
    return state.rest.length === 0 || io.onBytes(state.rest);
  });
  const timer = setTimeout(() => socket.destroy(new Error("tor found no way in time")), CONNECT_MS);
  let isOver = false;
  const over = (connected: boolean) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    told(connected);
  };
  socket.once("connect", () => socket.write(Buffer.of(5, 1, 2)));
  socket.once("end", () => isOpen || socket.destroy(new Error("tor ended the connection")));
  socket.on("error", (error) => {
    over(false);
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

interface Progress {
  readonly reached?: "method" | "login" | "host";
  readonly failure?: string;
  /** What came after the last reply. */
  readonly rest: Buffer;
}

/** Reads tor's three replies, however they are cut; tor says each only after it was asked for it. */
function handshake(): (bytes: Buffer) => Progress {
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
    if (step !== "host" && rest.length > 0) return { rest, failure: "tor said more than it was asked for" };
    step = step === "method" ? "login" : "host";
    return { rest, reached };
  };
}

/** Version, code, zero, address, port; undefined while too little has come to tell. */
function hostReplyBytes(have: Buffer): number | undefined {
  if (have.length < 5) return undefined;
  const address = have[3] === 3 ? 1 + have[4]! : ADDRESS_BYTES[have[3]!];
  return address === undefined ? 4 : 4 + address + 2;
}
