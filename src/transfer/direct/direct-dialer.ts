import { once } from "node:events";
import { isIP } from "node:net";
import { IchainError } from "../../errors/error.ts";
import { dial, type LaneDialer } from "../pieces/lane-dialer.ts";
import type { Reach } from "./reach.ts";

/**
 * Lanes of plain TCP connections to `address`.
 * @throws TRANSFER_BAD_ADDRESS, TRANSFER_OUT_OF_REACH
 */
export function directDialer(address: string, reach: Reach): LaneDialer {
  const { host, port } = parseAddress(address);
  reach.check(host, port);
  return {
    host,
    async connect(_lane, io) {
      const socket = dial({ host, port }, io.onBytes);
      await once(socket, "connect");
      io.onReached();
      return socket;
    },
  };
}

/**
 * `IPv4:port` or `[IPv6]:port`. No host names: the address of one may change between the check and the connection.
 * @throws TRANSFER_BAD_ADDRESS
 */
export function parseAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15})):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3]);
  if (isIP(host) !== (match?.[1] === undefined ? 4 : 6) || port < 1 || port > 65_535) {
    throw new IchainError("TRANSFER_BAD_ADDRESS", "The locator's address is not an IP address and a port.");
  }
  return { host, port };
}

export function formatAddress(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
