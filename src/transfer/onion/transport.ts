import { impossible } from "../../errors/error.ts";
import type {
  FetchRequest,
  Hosting,
  HostRequest,
  TransferOptions,
  Transport,
} from "../../ports/transport.ts";
import type { Hex } from "../../protocol/ids.ts";
import { fetchPieces } from "../pieces/fetch-pieces.ts";
import type { PieceLimits } from "../pieces/ports.ts";
import { createPieceServer } from "../pieces/server.ts";
import { OnionHost } from "./hosting/host.ts";
import type { WatchdogNote } from "./hosting/watchdog.ts";
import { checkOnionIdentity, meetingOnion, newOnionIdentity } from "./identity.ts";
import { OnionReader, readerLines } from "./reading/reader.ts";
import { fetchOnionCapsule, fetchOnionPart, sendOnionNotice } from "./reading/small-fetches.ts";
import { TorPool } from "./tor/pool.ts";
import { ManagedTor } from "./tor/tor.ts";
import { torVersion } from "./tor/version.ts";

export interface OnionTransportOptions {
  /** Folder for the data of our tor processes; several ichain processes may share one. */
  readonly dataDir: string;
  /** x25519, 32 bytes each: opens onions that admit us, and our own for the self-probe. */
  readonly clientKey: { readonly privateKey: Hex; readonly publicKey: Hex };
  /** The tor program; `tor` on the PATH when absent. */
  readonly torBinary?: string | undefined;
  /** Torrc lines for another network than the public one (`TorNetwork.networkTorrc`). */
  readonly networkTorrc?: string | undefined;
  /** Tor processes for hosting, at most; further onions share them. Default 8. */
  readonly maxHosts?: number | undefined;
  /** Idle tor processes kept running for the next hosting; 0 for a reader. Default 1. */
  readonly spareHosts?: number | undefined;
  /** Milliseconds between two self-probes of a hosting. Default two minutes. */
  readonly probeIntervalMs?: number | undefined;
  readonly limits?: Partial<PieceLimits> | undefined;
  /** Called with what the watchdog found or did about the hosting at `address`. */
  readonly onNote?: ((note: WatchdogNote, address: string) => void) | undefined;
}

const MAX_HOSTS = 8;
const SPARE_HOSTS = 1;
const PROBE_INTERVAL_MS = 120_000;
const hostLines = ["SocksPort 0"];

/**
 * Moves blobs over onion services with client authorisation (rend-spec-v3, section 2.5.1.2), with tor processes of our
 * own that are restarted whenever they exit. `start` throws TOR_MISSING, TOR_TOO_OLD, TOR_GONE and TOR_NO_NETWORK;
 * `host` throws HOST_IDENTITY_BAD, HOST_UNREACHABLE and TRANSFER_BLOB_CHANGED; `fetch` throws as `fetchPieces`, the
 * other methods that fetch as `fetchOnionCapsule`.
 * @example
 * const transport = createOnionTransport({ dataDir: "/var/lib/ichain/tor", clientKey: secret.onion });
 * await transport.start({ signal });
 */
export function createOnionTransport(options: OnionTransportOptions): Transport {
  const binary = options.torBinary ?? "tor";
  const network = options.networkTorrc?.split("\n") ?? [];
  const hosts = new Set<OnionHost>();
  const launch = (role: string, lines: readonly string[], signal: AbortSignal | undefined) =>
    ManagedTor.start({ binary, dataDir: options.dataDir, role, torrc: [...network, ...lines], signal });
  const pool = new TorPool({
    max: options.maxHosts ?? MAX_HOSTS,
    spares: options.spareHosts ?? SPARE_HOSTS,
    launch: (signal) => launch("host", hostLines, signal),
  });
  let started: { tor: ManagedTor; reader: OnionReader } | undefined;
  const reader = () => started?.reader ?? impossible("the onion transport is used before it is started");

  return {
    name: "onion",

    async start({ signal } = {}) {
      if (started !== undefined) return;
      await torVersion(binary, { signal });
      pool.startSpares();
      const tor = await launch("reader", readerLines, signal);
      started = { tor, reader: new OnionReader(tor, options.clientKey.privateKey) };
    },

    async stop() {
      await Promise.all([...hosts].map((host) => host.stop()));
      await Promise.all([pool.stop(), started?.tor.stop()]);
      started = undefined;
    },

    isUp: () => started?.tor.isUp ?? false,
    newIdentity: async () => newOnionIdentity(),
    meetingPoint: async (seed) => meetingOnion(seed),

    async host(request: HostRequest, { signal }: TransferOptions = {}): Promise<Hosting> {
      checkOnionIdentity(request.identity);
      const lease = await pool.lease({ signal });
      const { token } = request.identity.endpoint;
      const { blobs, feeds, onNotice, maxNotices } = request;
      const host = new OnionHost({
        request,
        ownKey: options.clientKey.publicKey,
        lease,
        reader: reader(),
        server: createPieceServer({ token, blobs, feeds, onNotice, maxNotices, limits: options.limits }),
        probeIntervalMs: options.probeIntervalMs ?? PROBE_INTERVAL_MS,
        onNote: (note, address) => options.onNote?.(note, address),
      });
      hosts.add(host);
      try {
        await host.start(signal);
        return host;
      } catch (error) {
        await host.stop();
        throw error;
      }
    },

    async fetch(request: FetchRequest, transfer: TransferOptions = {}) {
      const { address, guestKey } = request.endpoint;
      const begun = performance.now();
      // A host that admitted another reader since our last fetch has other introduction points. Lanes wait for the
      // look-up: when a descriptor is replaced, tor closes circuits that are on their way to the old points.
      if (reader().knows(address)) await reader().lookUp(address, { signal: transfer.signal });
      const dialer = reader().dialer(address, { guestKey, signal: transfer.signal });
      return fetchPieces({ ...request, dialer, foundMs: performance.now() - begun }, transfer);
    },

    fetchCapsule: async (request, { signal } = {}) =>
      fetchOnionCapsule({ reader: reader(), ...request, signal }),

    fetchPart: async (request, { signal } = {}) => fetchOnionPart({ reader: reader(), ...request, signal }),

    sendNotice: async (request, { signal } = {}) => sendOnionNotice({ reader: reader(), ...request, signal }),
  };
}
