import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isIchainError } from "../../../errors/error.ts";
import type { Hosting, HostRequest, Reader } from "../../../ports/transport.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { PieceServer } from "../../pieces/ports.ts";
import type { TorControl } from "../control/control.ts";
import { descriptorLost, onionUnreachable } from "../errors.ts";
import type { OnionReader } from "../reading/reader.ts";
import { fetchOnionAnswer, fetchOnionFirstByte } from "../reading/small-fetches.ts";
import type { TorLease } from "../tor/pool.ts";
import { type ShortFolder, shortFolder } from "../tor/short-folder.ts";
import { type OnionService, publishOnion, removeOnion } from "./onion-service.ts";
import { Watchdog, type WatchdogNote } from "./watchdog.ts";

export interface OnionHostOptions {
  readonly request: HostRequest;
  /** Our own client key: the self-probe reads the onion as any reader does. */
  readonly ownKey: Hex;
  readonly lease: TorLease;
  readonly reader: OnionReader;
  readonly server: PieceServer;
  readonly probeIntervalMs: number;
  /** Milliseconds for one self-probe, and twice that for one cure. */
  readonly probeMs?: number | undefined;
  readonly onNote: (note: WatchdogNote, address: string) => void;
}

/** Tries before an onion that was published counts as unreachable. */
const SELF_FETCHES = 4;
const PROBE_MS = 30_000;
/** Milliseconds that taking an onion down may take; tor takes it down with itself anyway. */
const FAREWELL_MS = 1_000;

/** One onion that serves one request's blobs, watched until it is stopped. */
export class OnionHost implements Hosting {
  readonly #options: OnionHostOptions;
  readonly #watchdog: Watchdog;
  readonly #life = new AbortController();
  /** By token and not by key: several may have one and the same key, for onion keys are public and anyone can claim one. */
  readonly #readers: Map<string, Reader>;
  #sockets: ShortFolder | undefined;
  #socketPath = "";
  /** Publishing is one at a time; this is the last in the queue. */
  #publishing: Promise<void> = Promise.resolve();
  #leave: () => void = () => {};
  #stopped: Promise<void> | undefined;

  constructor(options: OnionHostOptions) {
    this.#options = options;
    this.#readers = new Map(options.request.readers.map((reader) => [nameOf(reader), reader]));
    for (const { token } of this.#readers.values()) if (token) options.server.admit(token);
    const patient = {
      probe: (signal: AbortSignal) => this.#probe(signal),
      republish: (signal: AbortSignal) => this.#publish(signal),
      restart: async (signal: AbortSignal) => {
        await options.lease.tor.restart();
        await options.lease.tor.control({ signal });
      },
    };
    this.#watchdog = new Watchdog(patient, {
      intervalMs: options.probeIntervalMs,
      cureMs: 2 * (options.probeMs ?? PROBE_MS),
      onNote: (note) => options.onNote(note, this.endpoint.address),
    });
  }

  get endpoint() {
    return this.#options.request.identity.endpoint;
  }

  /** Publishes and resolves once a fetch through Tor has succeeded; throws `HOST_UNREACHABLE`. */
  async start(signal: AbortSignal | undefined): Promise<void> {
    const { tor } = this.#options.lease;
    const either = signal ? AbortSignal.any([signal, this.#life.signal]) : this.#life.signal;
    this.#sockets = await shortFolder(tor.dir);
    this.#socketPath = join(this.#sockets.path, `${randomUUID().slice(0, 8)}.sock`);
    await this.#options.server.listen({ unix: this.#socketPath });
    this.#leave = tor.onUp(async (control, up) => {
      void this.#watchUploads(control);
      await publishOnion(control, this.#service(), up);
    });
    void this.#watchUploads(await tor.control({ signal: either }));
    await this.#publish(either).catch(async (error) => {
      // A tor that fell meanwhile publishes the onion as it comes back.
      if (!isIchainError(error, "TOR_GONE")) throw error;
      await tor.control({ signal: either });
    });
    await this.#selfFetch(either);
    this.#watchdog.start();
  }

  /** Resolves once the new list of readers is published; transfers in flight go on. */
  async admit(reader: Reader): Promise<void> {
    if (reader.token) this.#options.server.admit(reader.token);
    // One that comes again under another key has that one only: nobody lengthens the list for ever.
    await this.#change((readers) => readers.set(nameOf(reader), reader));
  }

  /** Resolves once a list without the reader is published; its key stays while another reader has the same. */
  async dismiss(reader: Reader): Promise<void> {
    if (reader.token) this.#options.server.dismiss(reader.token);
    await this.#change((readers) => readers.delete(nameOf(reader)));
  }

  putCapsule(root: Hex, fingerprint: Hex, capsule: Uint8Array): void {
    this.#options.server.putCapsule(root, fingerprint, capsule);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Publishes only when other keys than before get in: it ends what others have just begun. */
  async #change(act: (readers: Map<string, Reader>) => void): Promise<void> {
    const before = this.#keys().join();
    act(this.#readers);
    if (this.#keys().join() !== before) await this.#publish(this.#life.signal);
  }

  /** Our own for the self-probe, then each reader's, every one once. */
  #keys(): readonly Hex[] {
    const keys = [this.#options.ownKey, ...[...this.#readers.values()].map(({ onionKey }) => onionKey)];
    return [...new Set(keys.map((key) => key.toLowerCase() as Hex))].toSorted();
  }

  #service(): OnionService {
    const { identity } = this.#options.request;
    return {
      address: identity.endpoint.address,
      secret: identity.secret,
      socketPath: this.#socketPath,
      readers: this.#keys().map((onionKey) => ({ onionKey })),
    };
  }

  /** `ADD_ONION` fixes the readers, so a new list means the same onion, taken down and put up again. */
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

  /** A directory that refused the descriptor is the first sign of one that goes stale. */
  async #watchUploads(control: TorControl): Promise<void> {
    try {
      for await (const [event] of control.events("HS_DESC", { signal: this.#life.signal })) {
        if (event.action === "FAILED" && event.address === this.endpoint.address) this.#watchdog.alarm();
      }
    } catch {
      // Stopped: nobody wants to know any more.
    }
  }

  async #selfFetch(signal: AbortSignal): Promise<void> {
    for (let left = SELF_FETCHES - 1; ; left--) {
      try {
        return await this.#probe(signal);
      } catch (error) {
        signal.throwIfAborted();
        if (left === 0) throw onionUnreachable(error);
        if (left === 1) await this.#publish(signal);
      }
    }
  }

  /** Reads as a stranger to this onion would: what our reader still remembers proves nothing. */
  async #probe(signal: AbortSignal): Promise<void> {
    const { reader, request, probeMs: timeoutMs = PROBE_MS } = this.#options;
    const { endpoint } = this;
    if (!(await reader.lookUp(endpoint.address, { signal }))) {
      // One directory may have lost it, or our reader has asked them all lately: then it asks none again.
      await reader.forget({ signal });
      if (!(await reader.lookUp(endpoint.address, { signal }))) throw descriptorLost();
    }
    const [blob] = request.blobs;
    // A fetch that connects also lets our reader ask every directory again at the next probe.
    if (blob === undefined) await fetchOnionAnswer({ reader, endpoint, timeoutMs, signal });
    else await fetchOnionFirstByte({ reader, endpoint, root: blob.root, timeoutMs, signal });
  }

  async #stop(): Promise<void> {
    const { lease, server } = this.#options;
    this.#leave();
    this.#life.abort();
    await this.#watchdog.stop();
    await this.#publishing;
    // When tor is down the onion is too: whatever is left to do ends with it.
    if (lease.tor.pid !== undefined) {
      const signal = AbortSignal.timeout(FAREWELL_MS);
      const control = await lease.tor.control({ signal }).catch(() => undefined);
      if (control !== undefined) await removeOnion(control, this.endpoint.address, signal).catch(() => {});
    }
    await server.close();
    await rm(this.#socketPath, { force: true });
    await this.#sockets?.remove();
    await lease.release();
  }
}

/** A token is one reader's alone; those who share the hosting's own are told apart by their fingerprints. */
const nameOf = ({ token, fingerprint }: Reader) => `${token ?? ""}/${fingerprint}`.toLowerCase();
