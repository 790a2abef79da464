import { once } from "node:events";
import { isIP } from "node:net";
import { IchainError } from "../../errors.ts";
import { dial } from "../pieces/dial.ts";
import type { LaneDialer } from "../pieces/ports.ts";

/** Lanes of plain TCP; each has connections of its own. */
export function directDialer(address: string): LaneDialer {
  const { host, port } = parseAddress(address);
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
 * `host:port` with a DNS name or an IPv4 address, or `[IPv6]:port`.
 * @throws TRANSFER_BAD_ADDRESS
 */
export function parseAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9.-]{1,253})):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (!host || (match?.[1] !== undefined && isIP(host) !== 6) || port < 1 || port > 65_535) {
    throw new IchainError("The locator's address is not host:port.", {
      code: "TRANSFER_BAD_ADDRESS",
      class: "untrusted",
      hint: "Ask the other side for a new locator.",
    });
  }
  return { host, port };
}

export function formatAddress(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
