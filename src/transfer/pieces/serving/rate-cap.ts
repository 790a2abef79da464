import { setTimeout as delay } from "node:timers/promises";

/**
 * Limits callers to `bytesPerSecond` together, in the order of their calls: because each asks for one small chunk at a
 * time, connections share the rate evenly.
 */
export class RateCap {
  readonly #msPerByte: number;
  #free = 0;

  constructor(bytesPerSecond: number) {
    this.#msPerByte = 1000 / bytesPerSecond;
  }

  /**
   * Resolves when `bytes` more may be sent.
   * @throws the signal's reason
   */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    const start = Math.max(now, this.#free);
    this.#free = start + bytes * this.#msPerByte;
    if (start > now) await delay(start - now, undefined, { signal });
  }
}
