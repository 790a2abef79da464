import { randomUUID } from "node:crypto";
import type { AbortOptions } from "../../../async/abort.ts";
import { fromHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { LaneDialer } from "../../pieces/ports.ts";
import type { TorControl } from "../control/control.ts";
import { torProtocol } from "../errors.ts";
import { ForgetLimiter } from "../tor/forget-limiter.ts";
import type { ManagedTor } from "../tor/tor.ts";
import { connectThroughTor, type SocksAddress } from "./socks.ts";

/** Torrc lines of a reading tor: a SOCKS port on loopback that leads to onions and nowhere else. */
export const readerLines = [
  "SocksPort 127.0.0.1:auto OnionTrafficOnly",
  "ClientOnly 1",
  "LearnCircuitBuildTimeout 0",
] as const;

/** Onions that one tor holds our client key for at once. */
const MAX_KNOWN = 256;

const LOOK_UP_MS = 30_000;
/**
 * So many lanes in a row to one onion that do not connect make tor forget, at most once in so many
 * milliseconds: forgetting also cuts short what other lanes are about to find out.
 */
const DOUBT_FAILURES = 4;
const DOUBT_MS = 30_000;
/** Tor puts a second NEWNYM within ten seconds off, and would forget our keys when nobody expects it. */
const FORGET_MS = 11_000;

interface Waiting extends AbortOptions {}

/** Opens onions whose descriptor is encrypted to our client key. */
export class OnionReader {
  readonly #tor: ManagedTor;
  readonly #privateKey: string;
  readonly #known = new Set<string>();
  readonly #doubts = new ForgetLimiter();
  /** Lanes to each onion that did not connect since the last one that did. */
  readonly #failures = new Map<string, number>();
  #forgotAt = Number.NEGATIVE_INFINITY;

  /** `privateKey`: 32-byte x25519 key. */
  constructor(tor: ManagedTor, privateKey: Hex) {
    this.#tor = tor;
    this.#privateKey = `x25519:${Buffer.from(fromHex(privateKey)).toString("base64")}`;
    tor.onUp(async (control, signal) => {
      for (const address of this.#known) await this.#authorise(control, address, signal);
    });
  }

  /** True once `open` was called for it: tor may hold a descriptor of it, and that may be old. */
  knows(address: string): boolean {
    return this.#known.has(address);
  }

  /** Where to connect for `address` (56 characters), with our key in place. */
  async open(address: string, options: Waiting = {}): Promise<SocksAddress> {
    const control = await this.#tor.control(options);
    if (!this.#known.has(address)) {
      await this.#authorise(control, address, options.signal);
      this.#known.add(address);
      await this.#forgetOldest(control);
    }
    const match = /^"(127\.0\.0\.1):(\d+)"/.exec(await control.info("net/listeners/socks", options));
    if (match === null) throw torProtocol("there is no SOCKS port");
    return { host: match[1]!, port: Number(match[2]) };
  }

  /** Lanes to `address`; those of one dialer never share a circuit with another's. */
  dialer(address: string, options: Waiting = {}): LaneDialer {
    const visit = randomUUID();
    return {
      host: `${address}.onion`,
      // Tor's address is asked for at every connection: a tor that was started again has another port.
      connect: async (lane, io) => {
        const socks = await this.open(address, options);
        const target = { socks, credentials: `${visit}/${lane}`, host: `${address}.onion`, port: 80 };
        return connectThroughTor(target, io, (connected) => this.#told(address, connected));
      },
      refresh: ({ signal }) => this.lookUp(address, { signal }),
    };
  }

  /**
   * Fetches the descriptor of `address` from a directory, whatever this tor still remembers; false when
   * none had it in half a minute.
   */
  async lookUp(address: string, options: Waiting = {}): Promise<boolean> {
    await this.open(address, options);
    const control = await this.#tor.control(options);
    const late = AbortSignal.timeout(LOOK_UP_MS);
    const events = control.events("HS_DESC", {
      signal: options.signal ? AbortSignal.any([options.signal, late]) : late,
    });
    try {
      await control.command(`HSFETCH ${address}`, options);
      for await (const [event] of events) {
        if (event.address !== address) continue;
        if (event.action === "RECEIVED") return true;
        if (event.action === "FAILED") return false;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!late.aborted) throw error;
    } finally {
      await events.return?.();
    }
    return false;
  }

  /**
   * Has tor forget what it believes about a stranger's onion that does not answer: one that found an old
   * descriptor, or looked before there was one, asks no directory again for a quarter of an hour. Does nothing
   * when it was done for this onion often enough of late (doubts.ts).
   */
  async doubt(address: string, options: Waiting = {}): Promise<void> {
    if (this.#isFresh() || !this.#doubts.admit(address)) return;
    await this.forget(options);
  }

  /** The same for an onion of ours, at most once in eleven seconds. */
  async forget(options: Waiting = {}): Promise<void> {
    if (this.#isFresh()) return;
    this.#forgotAt = performance.now();
    const control = await this.#tor.control(options);
    await control.command("SIGNAL NEWNYM", options);
    // What it forgets includes the keys that it was given for onions.
    for (const address of this.#known) await this.#authorise(control, address, options.signal);
  }

  /** Whether tor has just forgotten everything. */
  #isFresh(): boolean {
    return performance.now() - this.#forgotAt < FORGET_MS;
  }

  /** When nothing connects to an onion any more, what tor believes about it may be why. */
  #told(address: string, connected: boolean): void {
    const failures = connected ? 0 : (this.#failures.get(address) ?? 0) + 1;
    if (failures === 0) this.#failures.delete(address);
    else this.#failures.set(address, failures);
    if (failures < DOUBT_FAILURES || performance.now() - this.#forgotAt < DOUBT_MS) return;
    // Without tor there is nothing to forget.
    this.doubt(address).catch(() => {});
  }

  async #authorise(control: TorControl, address: string, signal: AbortSignal | undefined): Promise<void> {
    await control.command(`ONION_CLIENT_AUTH_ADD ${address} ${this.#privateKey}`, { signal });
  }

  async #forgetOldest(control: TorControl): Promise<void> {
    const [oldest] = this.#known;
    if (this.#known.size <= MAX_KNOWN || oldest === undefined) return;
    this.#known.delete(oldest);
    this.#failures.delete(oldest);
    await control.command(`ONION_CLIENT_AUTH_REMOVE ${oldest}`);
  }
}
