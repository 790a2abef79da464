/** Consecutive pieces that one request fetches in order: `next` is the one under way, `end` is exclusive. */
export interface PieceRange {
  readonly start: number;
  next: number;
  /** Lowered when another lane takes over the tail. */
  end: number;
  /** Ends the request early, once its pieces have come over another lane. */
  readonly cancel: AbortController;
}

/** Ranges that may hold the same piece at once. */
const MOST_COPIES = 2;

/**
 * Which request fetches which piece. Pure bookkeeping: a piece is missing, in one range (two in the endgame) or
 * verified; the unverified pieces of a released range are missing again.
 */
export class PiecePlan {
  readonly count: number;
  readonly #verified: Uint8Array;
  /** Ranges that hold each piece. */
  readonly #fetching: Uint8Array;
  /** 1 for a piece that is to be requested alone. */
  readonly #single: Uint8Array;
  readonly #ranges = new Set<PieceRange>();
  #left: number;

  constructor(count: number, verified: Iterable<number>) {
    this.count = count;
    this.#verified = new Uint8Array(count);
    this.#fetching = new Uint8Array(count);
    this.#single = new Uint8Array(count);
    for (const piece of verified) this.#verified[piece] = 1;
    this.#left = count - this.#verified.reduce((sum, bit) => sum + bit, 0);
  }

  /** Pieces not verified yet. */
  get left(): number {
    return this.#left;
  }

  /** The first piece that is not verified yet; −1 when all are. */
  get firstLeft(): number {
    return this.#verified.indexOf(0);
  }

  /** Pieces that are neither verified nor in a range. */
  get unclaimed(): number {
    let sum = 0;
    for (let i = 0; i < this.count; i++) if (this.#isMissing(i)) sum++;
    return sum;
  }

  get ranges(): ReadonlySet<PieceRange> {
    return this.#ranges;
  }

  isVerified(piece: number): boolean {
    return this.#verified[piece] === 1;
  }

  /** The first consecutive missing pieces, at most `most`; after `split`, a single one. */
  claim(most: number): PieceRange | undefined {
    let start = 0;
    while (start < this.count && !this.#isMissing(start)) start++;
    let end = start;
    while (end < this.count && end - start < most && this.#isMissing(end) && !this.#single[end]) end++;
    if (this.#single[start]) end = start + 1;
    return end > start ? this.#begin(start, end) : undefined;
  }

  /** Moves the last `pieces` pieces of `victim` to a new range; the victim keeps at least the one under way. */
  steal(victim: PieceRange, pieces: number): PieceRange | undefined {
    const start = Math.max(victim.next + 1, victim.end - pieces);
    if (!this.#ranges.has(victim) || start >= victim.end) return undefined;
    const { end } = victim;
    victim.end = start;
    for (let i = start; i < end; i++) this.#fetching[i]!--;
    return this.#begin(start, end);
  }

  /** A second range for the piece that `slow` has under way; undefined when it has two already. */
  duplicate(slow: PieceRange): PieceRange | undefined {
    const piece = slow.next;
    if (!this.#ranges.has(slow) || piece >= slow.end) return undefined;
    if (this.isVerified(piece) || this.#fetching[piece]! >= MOST_COPIES) return undefined;
    return this.#begin(piece, piece + 1);
  }

  /** Marks the piece that `by` delivered; false if it was verified before. Its other copy is cancelled. */
  verify(piece: number, by?: PieceRange): boolean {
    if (this.isVerified(piece)) return false;
    this.#verified[piece] = 1;
    this.#left--;
    for (const range of this.#ranges) {
      if (range !== by && range.next === piece && range.end === piece + 1) range.cancel.abort();
    }
    return true;
  }

  /** A bad answer to a range does not tell which piece is at fault: the rest is then requested one piece at a time. */
  split(range: PieceRange): void {
    this.#single.fill(1, range.next, range.end);
  }

  /** Ends a range, finished or not. */
  release(range: PieceRange): void {
    if (!this.#ranges.delete(range)) return;
    for (let i = range.start; i < range.end; i++) this.#fetching[i]!--;
  }

  #isMissing(piece: number): boolean {
    return this.#verified[piece] === 0 && this.#fetching[piece] === 0;
  }

  #begin(start: number, end: number): PieceRange {
    const range: PieceRange = { start, next: start, end, cancel: new AbortController() };
    for (let i = start; i < end; i++) this.#fetching[i]!++;
    this.#ranges.add(range);
    return range;
  }
}
