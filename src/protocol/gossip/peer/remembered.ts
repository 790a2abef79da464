/** A map whose entries are forgotten after a time, and the oldest ones when there are too many. */
export class Remembered<Key, Value> {
  readonly #entries = new Map<Key, { readonly value: Value; readonly until: number }>();
  readonly #seconds: number;
  readonly #most: number;

  constructor(seconds: number, most: number) {
    this.#seconds = seconds;
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  /** An entry that is there keeps its time. */
  set(key: Key, value: Value, now: number): void {
    const until = this.#entries.get(key)?.until ?? now + this.#seconds;
    this.#entries.set(key, { value, until });
    if (this.#entries.size > this.#most) this.#entries.delete(this.#entries.keys().next().value!);
  }

  forget(now: number): void {
    for (const [key, { until }] of this.#entries) {
      if (until > now) return;
      this.#entries.delete(key);
    }
  }
}
