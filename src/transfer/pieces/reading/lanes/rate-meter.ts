/** Bytes per second over a sliding window, in constant memory. Times are milliseconds of one clock. */
export class RateMeter {
  readonly #slots: { tick: number; bytes: number }[];
  readonly #slotMs: number;
  readonly #since: number;

  constructor(windowMs: number, now: number, slots = 20) {
    this.#slots = Array.from({ length: slots }, () => ({ tick: -1, bytes: 0 }));
    this.#slotMs = windowMs / slots;
    this.#since = now;
  }

  add(bytes: number, now: number): void {
    const tick = Math.floor(now / this.#slotMs);
    const slot = this.#slots[tick % this.#slots.length]!;
    if (slot.tick !== tick) {
      slot.tick = tick;
      slot.bytes = 0;
    }
    slot.bytes += bytes;
  }

  /** Bytes per second over the window, or since the meter began if that is shorter. */
  rate(now: number): number {
    const tick = Math.floor(now / this.#slotMs);
    const oldest = tick - this.#slots.length;
    let bytes = 0;
    for (const slot of this.#slots) if (slot.tick > oldest && slot.tick <= tick) bytes += slot.bytes;
    const span = Math.min(now - this.#since, this.#slots.length * this.#slotMs);
    return span > 0 ? (bytes * 1000) / span : 0;
  }
}
