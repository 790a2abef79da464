import { renameSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { SigningKey } from "ethers";
import { z } from "zod";
import { type Abortable, linkSignals, onAbort } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { Hosting, Reader, Transport } from "../../../ports/transport.ts";
import { fromHex, toHex } from "../../../protocol/bytes.ts";
import { formatPeerAddress, type PeerAddress, peerAddressSchema } from "../../../protocol/gossip/address.ts";
import { type Envelope, peerHelloSchema } from "../../../protocol/gossip/peer/envelope.ts";
import { MOST_NEIGHBOURS } from "../../../protocol/gossip/peer/peer.ts";
import { Quota } from "../../../protocol/gossip/peer/quota.ts";
import type { GossipPeerFile } from "../../../protocol/gossip/peer-file.ts";
import type { Address, Hex } from "../../../protocol/ids.ts";
import type { Endpoint } from "../../../protocol/parcel/locator.ts";
import { type Link, linkWith } from "./link.ts";
import { Meter } from "./meter.ts";
import { readStream } from "./stream-reader.ts";
import { StreamWriter } from "./stream-writer.ts";

/** Of a compressed public key, which stands before a sealed hello. */
const KEY_BYTES = 33;
const MOST_HELLO_BYTES = 2048;
/** Hellos that are looked at in a minute, of all strangers together. */
const HELLOS = 60;
/** After which a stranger that does not answer gives its place to another, milliseconds. */
const SILENT_MS = 600_000;

interface Neighbour {
  address: PeerAddress;
  readonly link: Link;
  readonly stream: StreamWriter;
  readonly meter: Meter;
  /** In the gossip.yaml: never gives way. */
  readonly named: boolean;
  readonly leave: AbortController;
  answers: boolean;
  answeredAt: number;
}

export interface NeighboursOptions {
  readonly key: SigningKey;
  readonly genesis: Hex;
  readonly own: PeerAddress;
  readonly file: GossipPeerFile;
  /** Where strangers that became neighbours are kept. */
  readonly path: string;
  /** Merkle root of the model that all peers begin with, and host: notices about it are hellos. */
  readonly root: Hex;
  readonly transport: Transport;
  /** A message came. */
  take(from: Address, record: Extract<Envelope, { kind: "record" }>): void;
  /** There are others now. */
  changed(accounts: readonly Address[]): void;
  /** A neighbour began to answer, or no longer does. */
  heard(account: Address, answers: boolean): void;
}

/** The peers that this one exchanges records and models with: named ones, the introducer, and strangers that said hello. */
export class Neighbours {
  readonly #options: NeighboursOptions;
  readonly #known = new Map<Address, Neighbour>();
  readonly #hellos = new Quota(HELLOS);
  readonly #reading = new Set<Promise<void>>();
  #hosting: Hosting | undefined;
  /** Begins to read what one says; while the peer runs. */
  #start: ((one: Neighbour) => void) | undefined;

  private constructor(options: NeighboursOptions) {
    this.#options = options;
  }

  static async open(options: NeighboursOptions): Promise<Neighbours> {
    const neighbours = new Neighbours(options);
    const { peers, introducer, strangers } = options.file;
    for (const address of [...peers, ...(introducer ? [introducer] : [])]) neighbours.#add(address, true);
    for (const address of (await readKept(options.path)).slice(0, strangers)) neighbours.#add(address, false);
    return neighbours;
  }

  get accounts(): readonly Address[] {
    return [...this.#known.keys()];
  }

  /** How many of them answered the last request. */
  get answering(): number {
    return [...this.#known.values()].filter(({ answers }) => answers).length;
  }

  /** A notice that was left with the peer. What is no hello is passed over without a word. */
  async hear(notice: Uint8Array): Promise<void> {
    const { own, file } = this.#options;
    if (notice.length > MOST_HELLO_BYTES || notice.length <= KEY_BYTES) return;
    if (!this.#hellos.take(own.account, 1, Math.floor(performance.now() / 1000))) return;
    const address = this.#openHello(notice);
    if (address === undefined || address.account === own.account) return;
    const known = this.#known.get(address.account);
    if (known !== undefined) known.address = address;
    else if (!this.#makeRoom()) return;
    else this.#welcome(address);
    if (!file.introduces) return;
    const others = [...this.#known.values()].filter(
      (one) => !one.named && one.address.account !== address.account,
    );
    const addresses = others.map((one) => formatPeerAddress(one.address));
    this.#known.get(address.account)?.stream.push(JSON.stringify({ kind: "peers", addresses }));
  }

  meterOf(account: Address): Meter | undefined {
    return this.#known.get(account)?.meter;
  }

  /** Where a neighbour hosts models for this peer. */
  endpointOf(account: Address): Endpoint | undefined {
    const one = this.#known.get(account);
    return one && endpointOf(one);
  }

  send(to: readonly Address[], envelope: Extract<Envelope, { kind: "record" }>): void {
    const text = JSON.stringify(envelope);
    for (const account of to) this.#known.get(account)?.stream.push(text);
  }

  /** Reads what all of them say until the signal aborts. */
  async run(hosting: Hosting, { signal }: Abortable): Promise<void> {
    const over = Promise.withResolvers<void>();
    using _ = onAbort(signal, () => over.resolve());
    this.#hosting = hosting;
    this.#start = (one) => {
      const reading = this.#read(one, signal)
        .catch(over.reject)
        .finally(() => this.#reading.delete(reading));
      this.#reading.add(reading);
    };
    for (const one of this.#known.values()) {
      this.#admit(one);
      this.#start(one);
    }
    try {
      await over.promise;
    } finally {
      this.#start = undefined;
      for (const { leave } of this.#known.values()) leave.abort();
      await Promise.all(this.#reading);
    }
  }

  async #read(one: Neighbour, signal: AbortSignal): Promise<void> {
    const { account } = one.address;
    const { transport, take, heard, file } = this.#options;
    using either = linkSignals([signal, one.leave.signal]);
    await readStream(
      {
        transport,
        endpoint: () => endpointOf(one),
        direction: one.link.in,
        meter: one.meter,
        take: (envelope) => {
          if (envelope.kind === "record") take(account, envelope);
          else if (account === file.introducer?.account) this.#meet(envelope.addresses);
        },
        answered: (yes) => {
          if (yes) one.answeredAt = performance.now();
          if (one.answers === yes) return;
          one.answers = yes;
          heard(account, yes);
        },
        refused: (options) => this.#sayHello(one, options),
      },
      either,
    );
  }

  /** The neighbour does not know this peer: tells it who would read. It may have no place. */
  async #sayHello({ address, link }: Neighbour, { signal }: Abortable): Promise<void> {
    const { transport, own, root } = this.#options;
    const text = JSON.stringify({ address: formatPeerAddress(own) });
    const notice = Buffer.concat([fromHex(own.publicKey), link.out.seal(Buffer.from(text))]);
    const request = { endpoint: address.endpoint, root, notice };
    await transport.sendNotice(request, { signal }).catch((error: unknown) => {
      if (!isIchainError(error)) throw error;
    });
  }

  #openHello(notice: Uint8Array): PeerAddress | undefined {
    const { key, genesis } = this.#options;
    try {
      const publicKey = toHex(notice.subarray(0, KEY_BYTES));
      const opened = linkWith(key, { publicKey }, genesis).in.open(notice.subarray(KEY_BYTES));
      const { address } = peerHelloSchema.parse(JSON.parse(new TextDecoder().decode(opened)));
      return address.publicKey === publicKey ? address : undefined;
    } catch {
      return undefined;
    }
  }

  /** Those that the introducer named, as far as there is room. */
  #meet(addresses: readonly PeerAddress[]): void {
    for (const address of addresses) {
      if (address.account === this.#options.own.account || this.#known.has(address.account)) continue;
      if (this.#strangers.length >= this.#options.file.strangers) return;
      this.#welcome(address);
    }
  }

  get #strangers(): readonly Neighbour[] {
    return [...this.#known.values()].filter(({ named }) => !named);
  }

  /** True where one more stranger has a place, of one that was silent for long if need be. */
  #makeRoom(): boolean {
    const strangers = this.#strangers;
    if (strangers.length < this.#options.file.strangers && this.#known.size < MOST_NEIGHBOURS) return true;
    const silent = strangers.find(({ answeredAt }) => performance.now() - answeredAt > SILENT_MS);
    if (silent === undefined) return false;
    this.#known.delete(silent.address.account);
    silent.leave.abort();
    silent.stream.clear();
    this.#hosting?.dismiss(readerOf(silent)).catch(() => undefined);
    return true;
  }

  #welcome(address: PeerAddress): void {
    const one = this.#add(address, false);
    this.#admit(one);
    this.#start?.(one);
    this.#options.changed(this.accounts);
    const kept = this.#strangers.map((stranger) => formatPeerAddress(stranger.address));
    writeFileSync(`${this.#options.path}.new`, JSON.stringify(kept), { mode: 0o600 });
    renameSync(`${this.#options.path}.new`, this.#options.path);
  }

  #admit(one: Neighbour): void {
    this.#hosting?.addFeed(one.stream.feed);
    // It comes with the guest key, so that nothing needs to be published, which could fail.
    this.#hosting?.admit(readerOf(one)).catch(() => undefined);
  }

  #add(address: PeerAddress, named: boolean): Neighbour {
    const { key, genesis, file } = this.#options;
    const link = linkWith(key, address, genesis);
    const one = {
      ...{ address, link, named, answers: false, answeredAt: performance.now() },
      stream: new StreamWriter(link.out, Date.now()),
      meter: new Meter(file.traffic),
      leave: new AbortController(),
    };
    this.#known.set(address.account, one);
    return one;
  }
}

function endpointOf({ address, link }: Neighbour): Endpoint {
  return { ...address.endpoint, token: link.in.token };
}

function readerOf({ link }: Neighbour): Reader {
  return { fingerprint: link.out.feed, token: link.out.token };
}

/** Addresses that a process before kept; none where there are none. */
async function readKept(path: string): Promise<readonly PeerAddress[]> {
  const text = await readFile(path, "utf8").catch(() => "[]");
  try {
    return z.array(peerAddressSchema).max(MOST_NEIGHBOURS).parse(JSON.parse(text));
  } catch {
    return [];
  }
}
