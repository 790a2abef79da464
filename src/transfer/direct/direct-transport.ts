import { hkdfSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import type { HostIdentity, Hosting, HostRequest, Transport } from "../../ports/transport.ts";
import { fromHex, toHex } from "../../protocol/bytes.ts";
import type { Endpoint } from "../../protocol/parcel/locator.ts";
import { portTaken } from "../pieces/errors.ts";
import { fetchPieces } from "../pieces/fetch-pieces.ts";
import { fetchCapsule, fetchFirstBytes, fetchPart } from "../pieces/fetch-small.ts";
import type { PieceLimits, PieceServer } from "../pieces/ports.ts";
import { createPieceServer } from "../pieces/server.ts";
import { directDialer, formatAddress, parseAddress } from "./direct-dialer.ts";
import { reachOf } from "./reach.ts";

export interface DirectOptions {
  /** The address of this machine on the private network: listened on and announced. */
  readonly listenHost: string;
  /** CIDR: where else locators may lead; the network that this machine's interface is on when absent. */
  readonly networks?: readonly string[] | undefined;
  /** What readers may take of a hosting here. */
  readonly limits?: Partial<PieceLimits> | undefined;
}

const TOKEN_BYTES = 16;
/** Ports below those that systems hand out; two parties on one machine meet at one that they derive. */
const MEETING_PORT = 12_000;
const MEETING_PORTS = 20_000;

/**
 * HTTP on TCP ports of a private network: the same tokens and the same verification as over onions, but
 * everybody on the network sees who fetches from whom. Readers need no key of their own here.
 */
export function createDirectTransport({ listenHost, networks, limits }: DirectOptions): Transport {
  const servers = new Set<PieceServer>();
  const dialerOf = (endpoint: Endpoint) => {
    if (endpoint.transport !== "direct") throw wrongTransport(endpoint);
    // Looked at each time: an interface may come up after us.
    return directDialer(endpoint.address, reachOf(listenHost, networks));
  };

  const host = async (request: HostRequest, options: AbortOptions = {}): Promise<Hosting> => {
    const { blobs, feeds } = request;
    const { endpoint } = request.identity;
    const dialer = dialerOf(endpoint);
    const server = createPieceServer({ token: endpoint.token, blobs, feeds, limits });
    for (const { token } of request.readers) if (token) server.admit(token);
    servers.add(server);
    const stop = async () => {
      servers.delete(server);
      await server.close();
    };
    try {
      await server.listen(parseAddress(endpoint.address));
      for (const { root } of request.blobs) await fetchFirstBytes({ dialer, endpoint, root }, options);
    } catch (error) {
      await stop();
      throw isSystemError(error) ? portTaken(endpoint.address, error) : error;
    }
    return {
      endpoint,
      stop,
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
      // The port is part of the address and the token lies in the endpoint: nothing else is needed.
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
  };
}

function wrongTransport(endpoint: Endpoint): IchainError {
  return new IchainError(`The direct transport cannot reach an ${endpoint.transport} address.`, {
    code: "TRANSFER_WRONG_TRANSPORT",
    class: "config",
    hint: "Configure the transport that the locator names.",
  });
}

/** A port that is free now; `host` says so if somebody takes it in between. */
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
  return new IchainError(`This machine cannot listen at ${host}.`, {
    code: "TRANSFER_NOT_OUR_ADDRESS",
    class: "config",
    hint: "Set direct.address in config.yaml to this machine's address on the private network.",
    cause,
  });
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
