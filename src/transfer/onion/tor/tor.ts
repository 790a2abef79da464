import { setTimeout as delay } from "node:timers/promises";
import { type AbortOptions, linkSignals, raceSignal } from "../../../async/abort.ts";
import type { TorControl } from "../control/control.ts";
import { torGone } from "../errors.ts";
import { reachNetwork } from "./bootstrap.ts";
import { claimTorFolder, type TorFolder } from "./folder.ts";
import { startTorProcess, type TorProcess } from "./process.ts";

export interface ManagedTorOptions {
  readonly binary: string;
  /** Folder that holds the data folder of this tor, which is named after `role`. */
  readonly dataDir: string;
  readonly role: string;
  readonly torrc: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Work after every start of a tor: publish an onion, register client keys. */
export type OnUp = (control: TorControl, signal: AbortSignal) => Promise<void>;

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 30_000;
/** After a tor has run for this long, pauses start from the first one again. */
const HEALTHY_MS = 60_000;

/** A supervised tor: whenever it exits it is started again, after pauses that grow from 100 ms to 30 s. */
export class ManagedTor {
  readonly #options: ManagedTorOptions;
  readonly #folder: TorFolder;
  readonly #stopped = new AbortController();
  readonly #onUp = new Set<OnUp>();
  #up = Promise.withResolvers<TorControl>();
  #process: TorProcess | undefined;
  #isUp = false;
  #supervision: Promise<void> = Promise.resolve();

  private constructor(options: ManagedTorOptions, folder: TorFolder) {
    this.#options = options;
    this.#folder = folder;
    this.#up.promise.catch(() => {});
  }

  /**
   * Resolves once tor has reached its network.
   * @throws TOR_MISSING, TOR_GONE, TOR_NO_NETWORK when the first start fails; the signal's reason
   */
  static async start(options: ManagedTorOptions): Promise<ManagedTor> {
    const tor = new ManagedTor(options, await claimTorFolder(options.dataDir, options.role));
    try {
      await tor.#launch(options.signal);
    } catch (error) {
      await tor.stop();
      throw error;
    }
    tor.#supervision = tor.#supervise();
    return tor;
  }

  /** The data folder; unix sockets for this tor's onions may be in it. */
  get dir(): string {
    return this.#folder.dir;
  }

  /** The present process; undefined between an exit and the next start. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** False between an exit and the end of the next start. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /**
   * The control connection, once tor is up and the hooks of `onUp` have run.
   * @throws TOR_GONE once this tor was stopped; the signal's reason
   */
  async control(options: AbortOptions = {}): Promise<TorControl> {
    return raceSignal(this.#up.promise, options.signal);
  }

  /** Runs `hook` after every later start; returns a function that removes it. */
  onUp(hook: OnUp): () => void {
    this.#onUp.add(hook);
    return () => void this.#onUp.delete(hook);
  }

  /** Ends the process; supervision starts it again. */
  async restart(): Promise<void> {
    await this.#process?.stop();
  }

  async stop(): Promise<void> {
    this.#stopped.abort(torGone("it was stopped"));
    await this.#process?.stop();
    await this.#supervision;
    await this.#folder.release();
  }

  async #launch(signal: AbortSignal | undefined): Promise<void> {
    const { binary, torrc } = this.#options;
    using either = linkSignals([signal, this.#stopped.signal]);
    const process = await startTorProcess({ binary, dir: this.#folder.dir, torrc, signal: either.signal });
    this.#process = process;
    await reachNetwork(process.control, either);
    for (const hook of this.#onUp) await hook(process.control, either.signal);
    this.#isUp = true;
    this.#up.resolve(process.control);
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#stopped;
    let backoff = FIRST_BACKOFF_MS;
    while (!signal.aborted) {
      const since = performance.now();
      // The control connection ends first when tor exits; without it tor cannot be used either.
      await this.#process?.control.closed;
      if (this.#isUp) this.#up = Promise.withResolvers();
      this.#isUp = false;
      this.#up.promise.catch(() => {});
      await this.#process?.stop();
      this.#process = undefined;
      if (signal.aborted) break;
      if (performance.now() - since > HEALTHY_MS) backoff = FIRST_BACKOFF_MS;
      await delay(backoff, undefined, { signal }).catch(() => {});
      backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
      // A failed start counts as an exit: callers of `control` keep waiting, until their own signal aborts.
      await this.#launch(undefined).catch(() => this.#process?.stop());
    }
    this.#up.reject(torGone("it was stopped"));
  }
}
