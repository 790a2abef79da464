/** Milliseconds between the first and the second clearing for an onion; each further gap is three times the last. */
const FIRST_GAP_MS = 11_000;
/** Tor asks a directory again after a quarter of an hour without it, so that gaps need not grow beyond this. */
const LONGEST_GAP_MS = 1_800_000;
/** After this many milliseconds without a clearing for an onion, its gaps start at the first one again. */
const RESET_MS = 3_600_000;
/** Onions that are remembered; beyond it the one cleared for longest ago is dropped. */
const MAX_ONIONS = 1024;

interface LastClearing {
  readonly at: number;
  readonly gapMs: number;
}

/**
 * Limits how often tor's caches are cleared (`NEWNYM`) because of one onion. Each clearing disturbs every other reader
 * of the same tor, and the onion's host decides whether it answers: a hostile host must not be able to cause them
 * without a limit. So the gaps between them grow, also when the onion answered in between: seven in the first hour,
 * then two an hour.
 */
export class ForgetLimiter {
  readonly #now: () => number;
  readonly #last = new Map<string, LastClearing>();

  /** `now`: milliseconds of a monotonic clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** True when the caches may be cleared for `address` now; that counts as a clearing. */
  admit(address: string): boolean {
    const now = this.#now();
    const last = this.#last.get(address);
    const since = last === undefined ? Number.POSITIVE_INFINITY : now - last.at;
    if (last !== undefined && since < last.gapMs) return false;
    const gapMs =
      last === undefined || since >= RESET_MS ? FIRST_GAP_MS : Math.min(last.gapMs * 3, LONGEST_GAP_MS);
    // Deleted first, so that the map stays in the order of the last clearing.
    this.#last.delete(address);
    this.#last.set(address, { at: now, gapMs });
    const [oldest] = this.#last.keys();
    if (this.#last.size > MAX_ONIONS && oldest !== undefined) this.#last.delete(oldest);
    return true;
  }
}
