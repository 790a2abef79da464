import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTorNetwork, type TorNetwork } from "../../../src/devnet/tor/network.ts";
import type { Reader, Transport } from "../../../src/ports/transport.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import type { Hex } from "../../../src/protocol/ids.ts";
import { createOnionTransport, type OnionTransportOptions } from "../../../src/transfer/onion/transport.ts";

export interface ClientKey {
  readonly privateKey: Hex;
  readonly publicKey: Hex;
}

/** One end of a transfer. */
export interface Party {
  readonly transport: Transport;
  readonly key: ClientKey;
  /** As a host admits it. */
  readonly reader: Reader;
}

/** A private Tor network and a temporary folder for the tests of one file; both are created by the first `up`. */
export class TorFixture {
  #started: Promise<TorNetwork> | undefined;
  #dir: string | undefined;
  readonly #parties: Transport[] = [];
  readonly #network: { readonly relays?: number };

  constructor(network: { readonly relays?: number } = {}) {
    this.#network = network;
  }

  async up(): Promise<TorNetwork> {
    this.#dir ??= await mkdtemp(join(tmpdir(), "ichain-onion-"));
    this.#started ??= startTorNetwork({ dir: join(this.#dir, "network"), ...this.#network });
    return this.#started;
  }

  get dir(): string {
    return this.#dir!;
  }

  /** A started transport on this network; stopped by `close`. `signal`: for the start. */
  async party(
    name: string,
    { signal, ...options }: Partial<OnionTransportOptions> & { signal?: AbortSignal } = {},
  ): Promise<Party> {
    const { networkTorrc } = await this.up();
    const key = options.clientKey ?? clientKey();
    const dataDir = join(this.dir, name);
    const transport = createOnionTransport({ dataDir, networkTorrc, ...options, clientKey: key });
    this.#parties.push(transport);
    await transport.start({ signal }).catch(async (error) => {
      await transport.stop();
      throw error;
    });
    return { transport, key, reader: { fingerprint: toHex(randomBytes(32)), onionKey: key.publicKey } };
  }

  async close(): Promise<void> {
    await Promise.all(this.#parties.map((transport) => transport.stop()));
    await (await this.#started)?.stop();
    if (this.#dir !== undefined) await rm(this.#dir, { recursive: true, force: true });
  }
}

/** An x25519 pair for onion client authorisation. */
export function clientKey(): ClientKey {
  const { privateKey } = generateKeyPairSync("x25519");
  const jwk = privateKey.export({ format: "jwk" });
  const hex = (text: string | undefined) => toHex(Buffer.from(text ?? "", "base64url"));
  return { privateKey: hex(jwk.d), publicKey: hex(jwk.x) };
}
