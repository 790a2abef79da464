/** Milliseconds from the first forgetting for an onion to the second; each further gap is three times the last. */
const FIRST_GAP_MS = 11_000;
/** Tor asks a directory again after a quarter of an hour by itself: more often than this gains nothing then. */
const LONGEST_GAP_MS = 1_800_000;
/** An onion that was not doubted for so long begins afresh. */
const CALM_MS = 3_600_000;
/** Onions that are kept in mind. */
const MAX_ONIONS = 1024;

interface Doubt {
  readonly at: number;
  readonly gapMs: number;
}

/**
 * How often tor may be made to forget for the sake of one onion. Forgetting disturbs every other reader of the same
 * tor, and whoever hosts an onion, or only promised one, decides whether it answers: so the gaps grow, also when
 * it answered in between. Seven times in the first hour, twice in every later one.
 */
export class ForgetLimiter {
  readonly #now: () => number;
  readonly #doubts = new Map<string, Doubt>();

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** True when tor may be made to forget for `address` now, which then counts. */
  admit(address: string): boolean {
    const now = this.#now();
    const last = this.#doubts.get(address);
    const since = last === undefined ? Number.POSITIVE_INFINITY : now - last.at;
    if (last !== undefined && since < last.gapMs) return false;
    const gapMs =
      last === undefined || since >= CALM_MS ? FIRST_GAP_MS : Math.min(last.gapMs * 3, LONGEST_GAP_MS);
    // The one that was doubted longest ago goes first.
    this.#doubts.delete(address);
    this.#doubts.set(address, { at: now, gapMs });
    const [oldest] = this.#doubts.keys();
    if (this.#doubts.size > MAX_ONIONS && oldest !== undefined) this.#doubts.delete(oldest);
    return true;
  }
}
