import { setTimeout as sleep } from "node:timers/promises";
import { type AbortOptions, raceSignal } from "../../../async/abort.ts";
import type { TorControl } from "../control/control.ts";
import { torGone } from "../errors.ts";
import { bootstrapped } from "./bootstrap.ts";
import { claimTorFolder, type TorFolder } from "./folder.ts";
import { startTorProcess, type TorProcess } from "./process.ts";

export interface ManagedTorOptions {
  readonly binary: string;
  /** Folder in which this tor gets a data folder of its own, named after `role`. */
  readonly dataDir: string;
  readonly role: string;
  readonly torrc: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** What has to be done each time the tor is up (again): publish an onion, register a client key. */
export type OnUp = (control: TorControl, signal: AbortSignal) => Promise<void>;

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 30_000;
/** A tor that lived so long was well: the next fall starts at the first back-off again. */
const HEALTHY_MS = 60_000;

/** A tor that is kept running: when it dies it is started again, with a growing pause between falls. */
export class ManagedTor {
  readonly #options: ManagedTorOptions;
  readonly #slot: TorFolder;
  readonly #life = new AbortController();
  readonly #onUp = new Set<OnUp>();
  #up = Promise.withResolvers<TorControl>();
  #process: TorProcess | undefined;
  #isUp = false;
  #kept: Promise<void> = Promise.resolve();

  private constructor(options: ManagedTorOptions, slot: TorFolder) {
    this.#options = options;
    this.#slot = slot;
    this.#up.promise.catch(() => {});
  }

  /** Resolves once tor has reached its network; throws what stops the very first start. */
  static async start(options: ManagedTorOptions): Promise<ManagedTor> {
    const tor = new ManagedTor(options, await claimTorFolder(options.dataDir, options.role));
    try {
      await tor.#launch(options.signal);
    } catch (error) {
      await tor.stop();
      throw error;
    }
    tor.#kept = tor.#keep();
    return tor;
  }

  /** The data folder; unix sockets for this tor's onions may lie in it. */
  get dir(): string {
    return this.#slot.dir;
  }

  /** The process at this moment; undefined between a fall and the next start. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** The control connection, as soon as tor is up and everything registered by `onUp` is done. */
  async control(options: AbortOptions = {}): Promise<TorControl> {
    return raceSignal(this.#up.promise, options.signal);
  }

  /** Runs `hook` after every start from the next one on; returns what takes it away again. */
  onUp(hook: OnUp): () => void {
    this.#onUp.add(hook);
    return () => void this.#onUp.delete(hook);
  }

  /** Ends the process; it comes back by itself. */
  async restart(): Promise<void> {
    await this.#process?.stop();
  }

  async stop(): Promise<void> {
    this.#life.abort(torGone("it was stopped"));
    await this.#process?.stop();
    await this.#kept;
    await this.#slot.release();
  }

  async #launch(signal: AbortSignal | undefined): Promise<void> {
    const { binary, torrc } = this.#options;
    const either = signal ? AbortSignal.any([signal, this.#life.signal]) : this.#life.signal;
    const process = await startTorProcess({ binary, dir: this.#slot.dir, torrc, signal: either });
    this.#process = process;
    await bootstrapped(process.control, { signal: either });
    for (const hook of this.#onUp) await hook(process.control, either);
    this.#isUp = true;
    this.#up.resolve(process.control);
  }

  async #keep(): Promise<void> {
    const { signal } = this.#life;
    let backoff = FIRST_BACKOFF_MS;
    while (!signal.aborted) {
      const since = performance.now();
      // The control connection is the first to show that tor fell; without it tor is of no use either.
      await this.#process?.control.closed;
      if (this.#isUp) this.#up = Promise.withResolvers();
      this.#isUp = false;
      this.#up.promise.catch(() => {});
      await this.#process?.stop();
      this.#process = undefined;
      if (signal.aborted) break;
      if (performance.now() - since > HEALTHY_MS) backoff = FIRST_BACKOFF_MS;
      await sleep(backoff, undefined, { signal }).catch(() => {});
      backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
      // A start that fails is one more fall: whoever waits goes on waiting, up to its own signal.
      await this.#launch(undefined).catch(() => this.#process?.stop());
    }
    this.#up.reject(torGone("it was stopped"));
  }
}
