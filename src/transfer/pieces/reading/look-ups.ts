/**
 * When to look up anew where a host is: after `lookUpMs` without a byte over any lane, and then at
 * intervals that double, for whoever is only slow must get the time to connect. Pure.
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

  /** `bytes` came since the start. */
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
