import { setTimeout as sleep } from "node:timers/promises";

/** What keeping an onion reachable takes. */
export interface WatchedOnion {
  /** Throws when the onion cannot be reached by a reader who knows nothing of it yet. */
  probe(signal: AbortSignal): Promise<void>;
  /** Takes the onion down and publishes it again with the same key. */
  republish(signal: AbortSignal): Promise<void>;
  /** Ends its tor, which comes back and publishes it. */
  restart(signal: AbortSignal): Promise<void>;
}

/** What the watchdog found or did, for logs and tests. */
export type WatchdogNote = "unreachable" | "republished" | "restarted" | "healed";

export interface WatchdogOptions {
  /** Milliseconds between two probes of a healthy onion. */
  readonly intervalMs: number;
  /** Milliseconds for one cure: a tor that hangs answers nothing, and the next cure must get its turn. */
  readonly cureMs: number;
  readonly onNote: (note: WatchdogNote) => void;
}

/** Milliseconds before the first repeated cure; doubles up to the interval. */
const FIRST_PAUSE_MS = 1_000;

/**
 * Probes an onion through tor and cures it: a descriptor can go stale while everything looks healthy
 * here. One failed probe is asked again, then the onion is published again, then its tor is restarted,
 * and so on until it answers.
 */
export class Watchdog {
  readonly #patient: WatchedOnion;
  readonly #options: WatchdogOptions;
  readonly #life = new AbortController();
  #alarm = Promise.withResolvers<void>();
  #watching: Promise<void> = Promise.resolve();

  constructor(patient: WatchedOnion, options: WatchdogOptions) {
    this.#patient = patient;
    this.#options = options;
  }

  start(): void {
    this.#watching = this.#watch(this.#life.signal).catch(() => {});
  }

  /** Probes now instead of at the next interval. */
  alarm(): void {
    this.#alarm.resolve();
  }

  async stop(): Promise<void> {
    this.#life.abort();
    await this.#watching;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const rest = new AbortController();
      const pause = sleep(this.#options.intervalMs, undefined, {
        signal: AbortSignal.any([signal, rest.signal]),
      });
      await Promise.race([pause.catch(() => {}), this.#alarm.promise]);
      rest.abort();
      this.#alarm = Promise.withResolvers();
      if (!signal.aborted && !(await this.#healthy(signal))) await this.#cure(signal);
    }
  }

  async #cure(signal: AbortSignal): Promise<void> {
    this.#options.onNote("unreachable");
    const cures = [
      ["republished", (turn: AbortSignal) => this.#patient.republish(turn)],
      ["restarted", (turn: AbortSignal) => this.#patient.restart(turn)],
    ] as const;
    for (let n = 0, pause = FIRST_PAUSE_MS; ; n++, pause = Math.min(pause * 2, this.#options.intervalMs)) {
      if (await this.#healthy(signal)) return this.#options.onNote("healed");
      const [note, cure] = cures[n % cures.length]!;
      // A cure that fails is followed by the next one: giving up is the owner's to do, by `stop`.
      await cure(AbortSignal.any([signal, AbortSignal.timeout(this.#options.cureMs)])).then(
        () => this.#options.onNote(note),
        () => signal.throwIfAborted(),
      );
      if (n >= cures.length) await sleep(pause, undefined, { signal });
    }
  }

  async #healthy(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#patient.probe(signal);
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }
}
