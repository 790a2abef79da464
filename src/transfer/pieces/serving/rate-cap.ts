import { setTimeout as delay } from "node:timers/promises";

/**
 * Lets `bytesPerSecond` through, one caller after the other: since everybody takes the same small bite
 * and queues again, connections share the rate evenly.
 */
export class RateCap {
  readonly #msPerByte: number;
  #free = 0;

  constructor(bytesPerSecond: number) {
    this.#msPerByte = 1000 / bytesPerSecond;
  }

  /** Resolves when `bytes` more may be sent. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    const start = Math.max(now, this.#free);
    this.#free = start + bytes * this.#msPerByte;
    if (start > now) await delay(start - now, undefined, { signal });
  }
}
