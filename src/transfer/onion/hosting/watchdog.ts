import { setTimeout as delay } from "node:timers/promises";
import { linkSignals, raceSignal } from "../../../async/abort.ts";

/** The onion that a watchdog keeps reachable. */
export interface WatchedOnion {
  /** Throws when a reader that knows nothing of the onion yet cannot reach it. */
  probe(signal: AbortSignal): Promise<void>;
  /** Takes the onion down and publishes it again with the same key. */
  republish(signal: AbortSignal): Promise<void>;
  /** Restarts the tor of the onion, which publishes it again. */
  restart(signal: AbortSignal): Promise<void>;
}

/** What the watchdog found or did. */
export type WatchdogNote = "unreachable" | "republished" | "restarted" | "recovered";

export interface WatchdogOptions {
  /** Milliseconds between two probes of a reachable onion. */
  readonly intervalMs: number;
  /** Milliseconds for one recovery step: a tor that hangs answers nothing, and the next step must still be tried. */
  readonly stepMs: number;
  readonly onNote: (note: WatchdogNote) => void;
}

/** Milliseconds before the first repeated recovery step; the pause doubles up to the interval. */
const FIRST_PAUSE_MS = 1_000;

/**
 * Probes an onion through tor and recovers it: its descriptor can become stale while tor reports no fault. After a
 * failed probe it probes once more, then publishes the onion again, then restarts its tor, and repeats both steps in
 * turn until a probe succeeds.
 */
export class Watchdog {
  readonly #onion: WatchedOnion;
  readonly #options: WatchdogOptions;
  readonly #stopped = new AbortController();
  #probeRequested = Promise.withResolvers<void>();
  #watching: Promise<void> = Promise.resolve();

  constructor(onion: WatchedOnion, options: WatchdogOptions) {
    this.#onion = onion;
    this.#options = options;
  }

  start(): void {
    this.#watching = this.#watch(this.#stopped.signal).catch(() => {});
  }

  /** Probes now instead of at the end of the interval. */
  probeNow(): void {
    this.#probeRequested.resolve();
  }

  /** Resolves once no probe or step is under way. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#watching;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    for (;;) {
      await raceSignal(this.#probeRequested.promise, signal, this.#options.intervalMs);
      this.#probeRequested = Promise.withResolvers();
      if (!(await this.#isReachable(signal))) await this.#recover(signal);
    }
  }

  async #recover(signal: AbortSignal): Promise<void> {
    this.#options.onNote("unreachable");
    const steps = [
      ["republished", (limit: AbortSignal) => this.#onion.republish(limit)],
      ["restarted", (limit: AbortSignal) => this.#onion.restart(limit)],
    ] as const;
    for (let n = 0, pause = FIRST_PAUSE_MS; ; n++, pause = Math.min(pause * 2, this.#options.intervalMs)) {
      if (await this.#isReachable(signal)) return this.#options.onNote("recovered");
      const [note, step] = steps[n % steps.length]!;
      using limit = linkSignals([signal], this.#options.stepMs);
      // A failed step is followed by the next one: only the owner gives up, with `stop`.
      await step(limit.signal).then(
        () => this.#options.onNote(note),
        () => signal.throwIfAborted(),
      );
      if (n >= steps.length) await delay(pause, undefined, { signal });
    }
  }

  async #isReachable(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#onion.probe(signal);
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }
}
