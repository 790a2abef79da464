import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { linkSignals } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { Blob, Feed, Hosting, HostRequest, Reader } from "../../../ports/transport.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { PieceServer } from "../../pieces/ports.ts";
import type { TorControl } from "../control/control.ts";
import { descriptorLost, onionUnreachable } from "../errors.ts";
import { clientPublicKey } from "../identity.ts";
import type { OnionReader } from "../reading/reader.ts";
import { fetchOnionAnswer, fetchOnionFirstByte } from "../reading/small-fetches.ts";
import type { TorLease } from "../tor/pool.ts";
import { type ShortFolder, shortFolder } from "../tor/short-folder.ts";
import { type OnionService, publishOnion, removeOnion } from "./onion-service.ts";
import { Watchdog, type WatchdogNote } from "./watchdog.ts";

export interface OnionHostOptions {
  readonly request: HostRequest;
  /** Our own client key, 32 bytes x25519: the self-probe reads the onion as any reader does. */
  readonly ownKey: Hex;
  readonly lease: TorLease;
  readonly reader: OnionReader;
  readonly server: PieceServer;
  readonly probeIntervalMs: number;
  /** Milliseconds for one self-probe; a recovery step gets twice as many. Default 30 s. */
  readonly probeMs?: number | undefined;
  readonly onNote: (note: WatchdogNote, address: string) => void;
}

/** Failed probes after which a published onion counts as unreachable. */
const START_PROBES = 4;
const PROBE_MS = 30_000;
/** Milliseconds that taking an onion down may take; it ends with its tor anyway. */
const TAKE_DOWN_MS = 1_000;

/** One onion that serves the blobs of one request, kept reachable by a watchdog until it is stopped. */
export class OnionHost implements Hosting {
  readonly #options: OnionHostOptions;
  readonly #watchdog: Watchdog;
  readonly #ended = new AbortController();
  /** By token and not by key: several may have the same key, because onion keys are public and anyone can claim one. */
  readonly #readers: Map<string, Reader>;
  #sockets: ShortFolder | undefined;
  #socketPath = "";
  /** Publishing is done one at a time; this is the last in the queue. */
  #publishing: Promise<void> = Promise.resolve();
  #unsubscribe: () => void = () => {};
  #stopped: Promise<void> | undefined;

  constructor(options: OnionHostOptions) {
    this.#options = options;
    this.#readers = new Map(options.request.readers.map((reader) => [nameOf(reader), reader]));
    for (const { token } of this.#readers.values()) if (token) options.server.admit(token);
    const onion = {
      probe: (signal: AbortSignal) => this.#probe(signal),
      republish: (signal: AbortSignal) => this.#publish(signal),
      restart: async (signal: AbortSignal) => {
        await options.lease.tor.restart();
        await options.lease.tor.control({ signal });
      },
    };
    this.#watchdog = new Watchdog(onion, {
      intervalMs: options.probeIntervalMs,
      stepMs: 2 * (options.probeMs ?? PROBE_MS),
      onNote: (note) => options.onNote(note, this.endpoint.address),
    });
  }

  get endpoint() {
    return this.#options.request.identity.endpoint;
  }

  /**
   * Publishes the onion and resolves once a fetch through Tor has succeeded.
   * @throws HOST_UNREACHABLE, TRANSFER_BLOB_CHANGED; TOR_REFUSED, TOR_GONE, TOR_PROTOCOL; the signal's reason
   */
  async start(signal: AbortSignal | undefined): Promise<void> {
    const { tor } = this.#options.lease;
    using either = linkSignals([signal, this.#ended.signal]);
    this.#sockets = await shortFolder(tor.dir);
    this.#socketPath = join(this.#sockets.path, `${randomUUID().slice(0, 8)}.sock`);
    await this.#options.server.listen({ unix: this.#socketPath });
    this.#unsubscribe = tor.onUp(async (control, up) => {
      void this.#watchUploads(control);
      await publishOnion(control, this.#service(), up);
    });
    void this.#watchUploads(await tor.control(either));
    await this.#publish(either.signal).catch(async (error) => {
      // A tor that exits meanwhile publishes the onion when it is up again.
      if (!isIchainError(error, "TOR_GONE")) throw error;
      await tor.control(either);
    });
    await this.#probeUntilReachable(either.signal);
    this.#watchdog.start();
  }

  /** Resolves once the longer list of readers is published; transfers under way continue. @throws as `start` */
  async admit(reader: Reader): Promise<void> {
    if (reader.token) this.#options.server.admit(reader.token);
    // A reader that is admitted again with another key replaces its entry, so that the list stays bounded.
    await this.#change((readers) => readers.set(nameOf(reader), reader));
  }

  /** Resolves once the list without the reader is published; its key stays while another reader has the same. */
  async dismiss(reader: Reader): Promise<void> {
    if (reader.token) this.#options.server.dismiss(reader.token);
    await this.#change((readers) => readers.delete(nameOf(reader)));
  }

  /** @throws TRANSFER_BLOB_CHANGED */
  add(blob: Blob): Promise<void> {
    return this.#options.server.addBlob(blob);
  }

  remove(root: Hex): void {
    this.#options.server.removeBlob(root);
  }

  addFeed(feed: Feed): void {
    this.#options.server.addFeed(feed);
  }

  putCapsule(root: Hex, fingerprint: Hex, capsule: Uint8Array): void {
    this.#options.server.putCapsule(root, fingerprint, capsule);
  }

  /** Takes the onion down and closes its server. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Publishes only when the set of keys has changed: it breaks connections that readers have just begun. */
  async #change(update: (readers: Map<string, Reader>) => void): Promise<void> {
    const before = this.#keys().join();
    update(this.#readers);
    if (this.#keys().join() !== before) await this.#publish(this.#ended.signal);
  }

  /** Our own key for the self-probe, the guests' and each reader's, without duplicates. */
  #keys(): readonly Hex[] {
    const readers = [...this.#readers.values()].flatMap(({ onionKey }) => onionKey ?? []);
    const { ownKey, request } = this.#options;
    const guests = request.guestKey === undefined ? [] : [clientPublicKey(request.guestKey)];
    const keys = [ownKey, ...guests, ...readers];
    return [...new Set(keys.map((key) => key.toLowerCase() as Hex))].toSorted();
  }

  #service(): OnionService {
    const { identity } = this.#options.request;
    return {
      address: identity.endpoint.address,
      secret: identity.secret,
      socketPath: this.#socketPath,
      clientKeys: this.#keys(),
    };
  }

  /** `ADD_ONION` fixes the readers: for a new list the onion is taken down and published again with the same key. */
  #publish(signal: AbortSignal): Promise<void> {
    const turn = this.#publishing.then(async () => {
      const control = await this.#options.lease.tor.control({ signal });
      await removeOnion(control, this.endpoint.address, signal).catch((error) => {
        if (!isIchainError(error, "TOR_REFUSED")) throw error;
      });
      await publishOnion(control, this.#service(), signal);
    });
    this.#publishing = turn.catch(() => {});
    return turn;
  }

  /** A directory that refuses the descriptor is the first sign of one that becomes stale. */
  async #watchUploads(control: TorControl): Promise<void> {
    try {
      for await (const [event] of control.events("HS_DESC", { signal: this.#ended.signal })) {
        if (event.action === "FAILED" && event.address === this.endpoint.address) this.#watchdog.probeNow();
      }
    } catch {
      // The host was stopped.
    }
  }

  async #probeUntilReachable(signal: AbortSignal): Promise<void> {
    for (let left = START_PROBES - 1; ; left--) {
      try {
        return await this.#probe(signal);
      } catch (error) {
        signal.throwIfAborted();
        if (left === 0) throw onionUnreachable(error);
        if (left === 1) await this.#publish(signal);
      }
    }
  }

  /** Reads the onion with a fresh look-up, as a new reader would: a descriptor in our reader's cache proves nothing. */
  async #probe(signal: AbortSignal): Promise<void> {
    const { reader, request, probeMs: timeoutMs = PROBE_MS } = this.#options;
    const { endpoint } = this;
    if (!(await reader.lookUp(endpoint.address, { signal }))) {
      // One directory may have lost it, or our reader has asked all of them lately and then asks none again.
      await reader.forget({ signal });
      if (!(await reader.lookUp(endpoint.address, { signal }))) throw descriptorLost();
    }
    const [blob] = request.blobs;
    // After a fetch that connects, our reader may ask every directory again at the next probe.
    if (blob === undefined) await fetchOnionAnswer({ reader, endpoint, timeoutMs, signal });
    else await fetchOnionFirstByte({ reader, endpoint, root: blob.root, timeoutMs, signal });
  }

  async #stop(): Promise<void> {
    const { lease, server } = this.#options;
    this.#unsubscribe();
    this.#ended.abort();
    await this.#watchdog.stop();
    await this.#publishing;
    // Without a running tor the onion is down already.
    if (lease.tor.pid !== undefined) {
      using limit = linkSignals([], TAKE_DOWN_MS);
      const control = await lease.tor.control(limit).catch(() => undefined);
      if (control !== undefined)
        await removeOnion(control, this.endpoint.address, limit.signal).catch(() => {});
    }
    await server.close();
    await rm(this.#socketPath, { force: true });
    await this.#sockets?.remove();
    await lease.release();
  }
}

/** A token belongs to one reader; readers that share the hosting's own token differ in their fingerprints. */
const nameOf = ({ token, fingerprint }: Reader) => `${token ?? ""}/${fingerprint}`.toLowerCase();
