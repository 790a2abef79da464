import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { SocksProxyAgent } from "socks-proxy-agent";

export interface SocksAddress {
  readonly host: string;
  readonly port: number;
}

/** Milliseconds that a SOCKS connection may take: descriptor, introduction and rendezvous. */
const CONNECT_MS = 60_000;

/** What a lane needs of the reader: tor's address at this moment, and somebody to tell how it went. */
export interface Way {
  address(): Promise<SocksAddress>;
  told(connected: boolean): void;
}

/**
 * An agent whose connections share SOCKS credentials, hence a circuit, with no other agent's
 * (`IsolateSOCKSAuth`). It asks for tor's address at every connection: a tor that was started again has
 * another port.
 */
export class LaneAgent extends SocksProxyAgent {
  readonly #way: Way;

  constructor(credentials: string, way: Way) {
    super(`socks5h://${encodeURIComponent(credentials)}:x@127.0.0.1`, {
      keepAlive: true,
      timeout: CONNECT_MS,
    });
    this.#way = way;
  }

  override async connect(
    request: ClientRequest,
    options: Parameters<SocksProxyAgent["connect"]>[1],
  ): Promise<Socket> {
    Object.assign(this.proxy, await this.#way.address());
    try {
      const socket = await super.connect(request, options);
      this.#way.told(true);
      return socket;
    } catch (error) {
      this.#way.told(false);
      throw error;
    }
  }
}
