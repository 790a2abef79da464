import { setTimeout as delay } from "node:timers/promises";
import type { Tuning } from "./tuning.ts";

/** Wakes every caller that waits now; a later `wait` waits for the next `notify`. */
export class Notifier {
  #next = Promise.withResolvers<void>();

  wait(): Promise<void> {
    return this.#next.promise;
  }

  notify(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }
}

/**
 * Waits after the `failures`-th failure in a row: `backOffMs`, doubled with each further failure, at most
 * `maxBackOffMs`, with jitter of half of it.
 * @throws the signal's reason
 */
export async function backOff(
  failures: number,
  { backOffMs, maxBackOffMs }: Pick<Tuning, "backOffMs" | "maxBackOffMs">,
  signal: AbortSignal,
): Promise<void> {
  const longest = Math.min(maxBackOffMs, backOffMs * 2 ** Math.max(0, failures - 1));
  await delay(longest * (0.5 + Math.random() / 2), undefined, { signal });
}

/**
 * When to look up again where a host is: after `lookUpMs` without a byte over any lane, then at intervals that double,
 * because a host that is only slow needs the time to connect. Pure.
 */
export class LookUps {
  readonly #lookUpMs: number;
  #pauseMs: number;
  #since: number;
  #bytes = 0;

  constructor(lookUpMs: number, now: number) {
    this.#lookUpMs = this.#pauseMs = lookUpMs;
    this.#since = now;
  }

  /** True when a look-up is due. `bytes`: received since the start; `now`: milliseconds. */
  due(now: number, bytes: number): boolean {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#since = now;
      this.#pauseMs = this.#lookUpMs;
    }
    if (now - this.#since < this.#pauseMs) return false;
    this.#since = now;
    this.#pauseMs *= 2;
    return true;
  }
}
