import { randomUUID } from "node:crypto";
import { type AbortOptions, linkSignals } from "../../../async/abort.ts";
import { fromHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { LaneDialer } from "../../pieces/lane-dialer.ts";
import type { TorControl } from "../control/control.ts";
import { torProtocol } from "../errors.ts";
import { ForgetLimiter } from "../tor/forget-limiter.ts";
import type { ManagedTor } from "../tor/tor.ts";
import { connectThroughTor, type SocksAddress } from "./socks.ts";

/** Torrc lines of a reading tor: a SOCKS port on loopback that connects to onions only. */
export const readerLines = [
  "SocksPort 127.0.0.1:auto OnionTrafficOnly",
  "ClientOnly 1",
  "LearnCircuitBuildTimeout 0",
] as const;

/** Onions that one tor has our client key for at once. */
const MAX_KNOWN = 256;
/** Milliseconds that one descriptor look-up may take. */
const LOOK_UP_MS = 30_000;
/** Connections to one onion that fail in a row before tor's caches are cleared for it. */
const FORGET_AFTER_FAILURES = 4;
/** Milliseconds between two clearings after such failures: each also breaks connections that are being established. */
const FAILURE_PAUSE_MS = 30_000;
/** Tor delays a second NEWNYM within ten seconds, and would then drop our keys after we registered them. */
const NEWNYM_PAUSE_MS = 11_000;

interface OpenOptions extends AbortOptions {
  /** As in `Endpoint`. */
  readonly guestKey?: Hex | undefined;
}

/** Opens onions whose descriptor is encrypted to our client key (rend-spec-v3, section 2.5.1.2). */
export class OnionReader {
  readonly #tor: ManagedTor;
  readonly #ownKey: Hex;
  /** The key that tor has for each address. */
  readonly #known = new Map<string, Hex>();
  readonly #forgetLimiter = new ForgetLimiter();
  /** Connections to each onion that failed since the last one that succeeded. */
  readonly #failures = new Map<string, number>();
  #forgotAt = Number.NEGATIVE_INFINITY;

  /** `privateKey`: 32-byte x25519 key. */
  constructor(tor: ManagedTor, privateKey: Hex) {
    this.#tor = tor;
    this.#ownKey = privateKey;
    tor.onUp((control, signal) => this.#authoriseAll(control, signal));
  }

  /** True once `open` was called for it: tor may have a descriptor of it in its cache, and that may be old. */
  knows(address: string): boolean {
    return this.#known.has(address);
  }

  /**
   * Registers for `address` (56 characters) the guest key, or our own unless it has one already, and returns tor's SOCKS
   * port.
   * @throws TOR_GONE once this tor was stopped; TOR_REFUSED, TOR_PROTOCOL; the signal's reason
   */
  async open(address: string, { guestKey, ...options }: OpenOptions = {}): Promise<SocksAddress> {
    const control = await this.#tor.control(options);
    const known = this.#known.get(address);
    const key = guestKey ?? known ?? this.#ownKey;
    if (key !== known) {
      await this.#authorise(control, address, key, options.signal);
      this.#known.set(address, key);
      await this.#dropOldestKey(control);
    }
    const match = /^"(127\.0\.0\.1):(\d+)"/.exec(await control.info("net/listeners/socks", options));
    if (match === null) throw torProtocol("there is no SOCKS port");
    return { host: match[1]!, port: Number(match[2]) };
  }

  /** Lanes to `address`; no two dialers share a circuit. */
  dialer(address: string, options: OpenOptions = {}): LaneDialer {
    const isolation = randomUUID();
    return {
      host: `${address}.onion`,
      // The port is looked up for every connection: a tor that was restarted has another one.
      connect: async (lane, io) => {
        const socks = await this.open(address, options);
        const target = { socks, credentials: `${isolation}/${lane}`, host: `${address}.onion`, port: 80 };
        return connectThroughTor(target, io, (connected) => this.#noteOutcome(address, connected));
      },
      refresh: ({ signal }) => this.lookUp(address, { signal }),
    };
  }

  /**
   * Fetches the descriptor of `address` from a directory, past tor's cache (`HSFETCH`; control-spec, section 3.26);
   * false when none returned it within `LOOK_UP_MS`.
   * @throws as `open`
   */
  async lookUp(address: string, options: AbortOptions = {}): Promise<boolean> {
    await this.open(address, options);
    const control = await this.#tor.control(options);
    using limit = linkSignals([options.signal], LOOK_UP_MS);
    const events = control.events("HS_DESC", { signal: limit.signal });
    try {
      await control.command(`HSFETCH ${address}`, options);
      for await (const [event] of events) {
        if (event.address !== address) continue;
        if (event.action === "RECEIVED") return true;
        if (event.action === "FAILED") return false;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!limit.signal.aborted) throw error;
    } finally {
      await events.return?.();
    }
    return false;
  }

  /**
   * Clears tor's caches for another party's onion that does not answer: a tor that has an old descriptor, or looked
   * before there was one, asks no directory again for a quarter of an hour. Does nothing when `ForgetLimiter` does not
   * allow it for this onion.
   * @throws as `forget`
   */
  async forgetFor(address: string, options: AbortOptions = {}): Promise<void> {
    if (this.#hasForgotten() || !this.#forgetLimiter.admit(address)) return;
    await this.forget(options);
  }

  /**
   * Clears tor's caches of descriptors and circuits (`NEWNYM`; control-spec, section 3.7) and registers our key for
   * each known onion again. At most once in `NEWNYM_PAUSE_MS`.
   * @throws TOR_REFUSED, TOR_GONE; the signal's reason
   */
  async forget(options: AbortOptions = {}): Promise<void> {
    if (this.#hasForgotten()) return;
    this.#forgotAt = performance.now();
    const control = await this.#tor.control(options);
    await control.command("SIGNAL NEWNYM", options);
    // NEWNYM also drops the client keys that were registered.
    await this.#authoriseAll(control, options.signal);
  }

  /** True within `NEWNYM_PAUSE_MS` after the caches were cleared. */
  #hasForgotten(): boolean {
    return performance.now() - this.#forgotAt < NEWNYM_PAUSE_MS;
  }

  /** Repeated failures to connect to one onion may come from an old descriptor in tor's cache. */
  #noteOutcome(address: string, connected: boolean): void {
    const failures = connected ? 0 : (this.#failures.get(address) ?? 0) + 1;
    if (failures === 0) this.#failures.delete(address);
    else this.#failures.set(address, failures);
    if (failures < FORGET_AFTER_FAILURES || performance.now() - this.#forgotAt < FAILURE_PAUSE_MS) return;
    // It fails only without a tor, and then there is no cache.
    this.forgetFor(address).catch(() => {});
  }

  async #authoriseAll(control: TorControl, signal: AbortSignal | undefined): Promise<void> {
    for (const [address, key] of this.#known) await this.#authorise(control, address, key, signal);
  }

  /** Replaces the key that tor has for the address. */
  async #authorise(control: TorControl, address: string, key: Hex, signal?: AbortSignal): Promise<void> {
    const text = `x25519:${Buffer.from(fromHex(key)).toString("base64")}`;
    await control.command(`ONION_CLIENT_AUTH_ADD ${address} ${text}`, { signal });
  }

  async #dropOldestKey(control: TorControl): Promise<void> {
    const [oldest] = this.#known.keys();
    if (this.#known.size <= MAX_KNOWN || oldest === undefined) return;
    this.#known.delete(oldest);
    this.#failures.delete(oldest);
    await control.command(`ONION_CLIENT_AUTH_REMOVE ${oldest}`);
  }
}
