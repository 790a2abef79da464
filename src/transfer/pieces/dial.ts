import { connect, type Socket, type TcpNetConnectOpts } from "node:net";

/** Bytes that one read of the kernel may bring. */
const READ_BYTES = 64 * 1024;

/** A TCP connection whose bytes go to `onBytes`, in one buffer that is used again and again. */
export function dial(
  { host, port }: Pick<TcpNetConnectOpts, "host" | "port">,
  onBytes: (bytes: Buffer) => boolean,
): Socket {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const onread = { buffer, callback: (count: number) => onBytes(buffer.subarray(0, count)) };
  const options: TcpNetConnectOpts = { port, noDelay: true, autoSelectFamily: true, onread };
  return connect(host === undefined ? options : { ...options, host });
}
