import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../async/abort.ts";

const MINUTE_MS = 60_000;

/** What is taken of one neighbour: so many bytes in a minute, and no further ones before that minute has passed. */
export class Meter {
  readonly #perMinute: number;
  #left: number;
  #at = performance.now();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#left = perMinute;
  }

  count(bytes: number): void {
    this.#earn();
    this.#left -= bytes;
  }

  /** Waits while more was taken than allowed. */
  async ready({ signal }: Abortable): Promise<void> {
    this.#earn();
    if (this.#left < 0) await delay((-this.#left * MINUTE_MS) / this.#perMinute, undefined, { signal });
  }

  #earn(): void {
    const now = performance.now();
    this.#left = Math.min(this.#perMinute, this.#left + ((now - this.#at) * this.#perMinute) / MINUTE_MS);
    this.#at = now;
  }
}
