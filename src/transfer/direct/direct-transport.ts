import { hkdfSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import type { HostIdentity, Hosting, HostRequest, Transport } from "../../ports/transport.ts";
import { fromHex, toHex } from "../../protocol/bytes.ts";
import type { Endpoint } from "../../protocol/parcel/locator.ts";
import { isSystemError, portTaken } from "../pieces/errors.ts";
import { fetchPieces } from "../pieces/fetch-pieces.ts";
import { fetchCapsule, fetchFirstByte, fetchPart, sendNotice } from "../pieces/fetch-small.ts";
import type { PieceLimits, PieceServer } from "../pieces/ports.ts";
import { createPieceServer } from "../pieces/server.ts";
import { directDialer, formatAddress, parseAddress } from "./direct-dialer.ts";
import { reachOf } from "./reach.ts";

export interface DirectOptions {
  /** The address of this machine on the private network: listened on and announced. */
  readonly listenHost: string;
  /** CIDR: other networks that locators may name; when absent, the network of this machine's interface. */
  readonly networks?: readonly string[] | undefined;
  /** Load that one hosting accepts. */
  readonly limits?: Partial<PieceLimits> | undefined;
}

const TOKEN_BYTES = 16;
/** Ports below the ephemeral ones: meeting points are derived from a seed and must be free on the host. */
const MEETING_PORT = 12_000;
const MEETING_PORTS = 20_000;

/**
 * Moves blobs over TCP ports of a private network: the same tokens and the same verification as over onions, but
 * unencrypted HTTP, so that the network sees who fetches from whom. Readers need no onion key.
 * `host` throws TRANSFER_PORT_TAKEN and TRANSFER_BLOB_CHANGED; `newIdentity` throws TRANSFER_NOT_OUR_ADDRESS; every
 * method that takes an endpoint throws TRANSFER_WRONG_TRANSPORT, TRANSFER_BAD_ADDRESS and TRANSFER_OUT_OF_REACH, and
 * those that fetch throw as `fetchPieces`.
 * @example const transport = createDirectTransport({ listenHost: "10.0.0.7", networks: ["10.0.0.0/24"] });
 */
export function createDirectTransport({ listenHost, networks, limits }: DirectOptions): Transport {
  const servers = new Set<PieceServer>();
  const dialerOf = (endpoint: Endpoint) => {
    if (endpoint.transport !== "direct") throw wrongTransport(endpoint);
    // Computed for each call: an interface may come up after the transport has started.
    return directDialer(endpoint.address, reachOf(listenHost, networks));
  };

  const host = async (request: HostRequest, options: AbortOptions = {}): Promise<Hosting> => {
    const { blobs, feeds, onNotice, maxNotices } = request;
    const { endpoint } = request.identity;
    const dialer = dialerOf(endpoint);
    const server = createPieceServer({ token: endpoint.token, blobs, feeds, onNotice, maxNotices, limits });
    for (const { token } of request.readers) if (token) server.admit(token);
    servers.add(server);
    const stop = async () => {
      servers.delete(server);
      await server.close();
    };
    try {
      await server.listen(parseAddress(endpoint.address));
      for (const { root } of request.blobs) await fetchFirstByte({ dialer, endpoint, root }, options);
    } catch (error) {
      await stop();
      throw isSystemError(error) ? portTaken(endpoint.address, error) : error;
    }
    return {
      endpoint,
      stop,
      add: (blob) => server.addBlob(blob),
      remove: (root) => server.removeBlob(root),
      addFeed: (feed) => server.addFeed(feed),
      admit: async ({ token }) => token && server.admit(token),
      dismiss: async ({ token }) => token && server.dismiss(token),
      putCapsule: (...args) => server.putCapsule(...args),
    };
  };

  return {
    name: "direct",
    async start() {},
    async stop() {
      await Promise.all([...servers].map((server) => server.close()));
      servers.clear();
    },
    async newIdentity(): Promise<HostIdentity> {
      const address = formatAddress(listenHost, await freePort(listenHost));
      // The endpoint has the port and the token: hosting again needs nothing else.
      return {
        endpoint: { transport: "direct", address, token: toHex(randomBytes(TOKEN_BYTES)) },
        secret: "",
      };
    },
    async meetingPoint(seed) {
      const drawn = Buffer.from(
        hkdfSync("sha256", fromHex(seed), "", "ichain/direct/meeting", 2 + TOKEN_BYTES),
      );
      const address = formatAddress(listenHost, MEETING_PORT + (drawn.readUInt16BE(0) % MEETING_PORTS));
      return { endpoint: { transport: "direct", address, token: toHex(drawn.subarray(2)) }, secret: "" };
    },
    host,
    fetch: async (request, options) =>
      fetchPieces({ ...request, dialer: dialerOf(request.endpoint) }, options),
    fetchCapsule: async (request, options) =>
      fetchCapsule({ ...request, dialer: dialerOf(request.endpoint) }, options),
    fetchPart: async (request, options) =>
      fetchPart({ ...request, dialer: dialerOf(request.endpoint) }, options),
    sendNotice: async (request, options) =>
      sendNotice({ ...request, dialer: dialerOf(request.endpoint) }, options),
  };
}

function wrongTransport(endpoint: Endpoint): IchainError {
  return new IchainError(
    "TRANSFER_WRONG_TRANSPORT",
    `The direct transport cannot reach an ${endpoint.transport} address.`,
  );
}

/** A port that is free now; `host` throws TRANSFER_PORT_TAKEN when it no longer is. */
async function freePort(host: string): Promise<number> {
  const server = createServer().listen({ host, port: 0 });
  await once(server, "listening").catch((error: Error) => {
    throw isSystemError(error) ? notOurs(host, error) : error;
  });
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

function notOurs(host: string, cause: unknown): IchainError {
  return new IchainError("TRANSFER_NOT_OUR_ADDRESS", `This machine cannot listen at ${host}.`, { cause });
}
