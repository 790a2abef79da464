import type { AbortOptions } from "../../../async/abort.ts";
import type { ManagedTor } from "./tor.ts";

export interface TorPoolOptions {
  /** Processes at most; further onions share the one with the fewest. */
  readonly max: number;
  /** Idle processes kept running, so that hosting starts in a second. */
  readonly spares: number;
  readonly launch: (signal: AbortSignal | undefined) => Promise<ManagedTor>;
}

export interface TorLease {
  readonly tor: ManagedTor;
  release(): Promise<void>;
}

/**
 * Tor processes for hosting, with one onion each: all circuits of a process share a guard and a core, and restarting a
 * process then disturbs one parcel only.
 */
export class TorPool {
  readonly #options: TorPoolOptions;
  readonly #onions = new Map<Promise<ManagedTor>, number>();
  readonly #stopped = new AbortController();

  constructor(options: TorPoolOptions) {
    this.#options = options;
  }

  /** Starts the spare processes in the background; `lease` replaces one that fails. */
  startSpares(): void {
    const idle = [...this.#onions.values()].filter((onions) => onions === 0).length;
    const room = this.#options.max - this.#onions.size;
    for (let n = 0; n < Math.min(this.#options.spares - idle, room); n++) void this.#add(0);
  }

  /**
   * A tor for one more onion.
   * @throws as `ManagedTor.start`; the signal's reason
   */
  async lease(options: AbortOptions = {}): Promise<TorLease> {
    options.signal?.throwIfAborted();
    const free = this.#leastUsed();
    const full = this.#onions.size >= this.#options.max;
    const pending = free !== undefined && (full || this.#onions.get(free) === 0) ? free : this.#add(0);
    this.#count(pending, 1);
    this.startSpares();
    let released = false;
    try {
      const tor = await pending;
      options.signal?.throwIfAborted();
      return {
        tor,
        release: async () => {
          if (released) return;
          released = true;
          this.#count(pending, -1);
          await this.#trim(pending, tor);
        },
      };
    } catch (error) {
      this.#count(pending, -1);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    const all = [...this.#onions.keys()];
    this.#onions.clear();
    await Promise.allSettled(all.map(async (pending) => (await pending).stop()));
  }

  #add(onions: number): Promise<ManagedTor> {
    const pending = this.#options.launch(this.#stopped.signal);
    this.#onions.set(pending, onions);
    pending.catch(() => this.#onions.delete(pending));
    return pending;
  }

  #leastUsed(): Promise<ManagedTor> | undefined {
    return [...this.#onions].sort(([, a], [, b]) => a - b)[0]?.[0];
  }

  #count(pending: Promise<ManagedTor>, by: number): void {
    const onions = this.#onions.get(pending);
    if (onions !== undefined) this.#onions.set(pending, onions + by);
  }

  /** Ends a process without onions unless it may stay as a spare. */
  async #trim(pending: Promise<ManagedTor>, tor: ManagedTor): Promise<void> {
    const idle = [...this.#onions.values()].filter((onions) => onions === 0).length;
    if (this.#onions.get(pending) !== 0 || idle <= this.#options.spares) return;
    this.#onions.delete(pending);
    await tor.stop();
  }
}
