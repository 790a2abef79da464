import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import type { Abortable } from "../../async/abort.ts";

/** Where the bytes of a connection go. */
export interface LaneIo {
  /**
   * The bytes lie in a buffer that is overwritten once this returns true. False pauses the socket, and they stay
   * valid until it is resumed.
   */
  onBytes(bytes: Buffer): boolean;
  /** The host itself has been reached. */
  onReached(): void;
}

/** Opens connections to one host. A lane is one independent path of connections. */
export interface LaneDialer {
  /**
   * A new connection for the lane of that name, isolated from those of other lanes: over onions by its own SOCKS
   * credentials. A lane that stalls is replaced by one with a new name, hence on a new circuit. Resolves once bytes
   * may be written; rejects with the network's error. The caller destroys the socket.
   */
  connect(lane: string, io: LaneIo): Promise<Socket>;
  /** Value of the `Host` header, e.g. `<56 characters>.onion`. */
  readonly host: string;
  /**
   * Looks up again where the host is. Called when it was reached before and no lane reaches it any more: without it, a
   * host that was restarted is found only after every introduction point of its old descriptor has failed.
   */
  refresh?(options: Abortable): Promise<unknown>;
}

/** Bytes that one read from the kernel may return. */
const READ_BYTES = 64 * 1024;

/** A TCP connection that passes what it reads to `onBytes`, always in the same buffer of `READ_BYTES`. */
export function dial(
  { host, port }: Pick<TcpNetConnectOpts, "host" | "port">,
  onBytes: (bytes: Buffer) => boolean,
): Socket {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const onread = { buffer, callback: (count: number) => onBytes(buffer.subarray(0, count)) };
  const options: TcpNetConnectOpts = { port, noDelay: true, autoSelectFamily: true, onread };
  return connect(host === undefined ? options : { ...options, host });
}
