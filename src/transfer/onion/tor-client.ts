import type { AbortOptions } from "../../async/abort.ts";
import { torProtocol } from "./errors.ts";
import type { SocksAddress } from "./reading/socks.ts";
import { ManagedTor } from "./tor/tor.ts";

/** Torrc lines of a tor by which other hosts than ichain's are reached; every target has a circuit of its own. */
const clientLines = ["SocksPort 127.0.0.1:auto IsolateDestAddr", "ClientOnly 1"];

export interface TorClientOptions {
  readonly dataDir: string;
  readonly torBinary: string;
  /** Torrc lines for another network than the public one. */
  readonly networkTorrc?: string | undefined;
}

/** A tor of its own for connections to any host, started when its port is first asked for. */
export interface TorClient extends AsyncDisposable {
  /**
   * Where its SOCKS port is, once it has reached its network.
   * @throws TOR_MISSING, TOR_GONE, TOR_NO_NETWORK; a later call tries again
   */
  socks(options?: AbortOptions): Promise<SocksAddress>;
}

export function openTorClient({ dataDir, torBinary, networkTorrc }: TorClientOptions): TorClient {
  const torrc = [...(networkTorrc?.split("\n") ?? []), ...clientLines];
  let tor: ManagedTor | undefined;
  return {
    async socks(options = {}) {
      tor ??= await ManagedTor.start({ binary: torBinary, dataDir, role: "client", torrc, ...options });
      const control = await tor.control(options);
      const match = /^"(127\.0\.0\.1):(\d+)"/.exec(await control.info("net/listeners/socks", options));
      if (match === null) throw torProtocol("there is no SOCKS port");
      return { host: match[1]!, port: Number(match[2]) };
    },
    async [Symbol.asyncDispose]() {
      await tor?.stop();
    },
  };
}
