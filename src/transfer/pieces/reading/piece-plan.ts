/** A row of pieces that one request fetches in order: `next` is the one under way, `end` is exclusive. */
export interface PieceRange {
  readonly start: number;
  next: number;
  /** Lowered when another lane takes the tail over. */
  end: number;
  /** Cuts the request short, once its pieces have come over another lane. */
  readonly cancel: AbortController;
}

const MOST_COPIES = 2;

/**
 * Who fetches which piece. Pure bookkeeping: a piece is missing, in one run (two in the endgame) or
 * verified, and a run that is released gives back what it has not brought.
 */
export class PiecePlan {
  readonly count: number;
  readonly #verified: Uint8Array;
  readonly #taken: Uint8Array;
  readonly #alone: Uint8Array;
  readonly #runs = new Set<PieceRange>();
  #left: number;

  constructor(count: number, verified: Iterable<number>) {
    this.count = count;
    this.#verified = new Uint8Array(count);
    this.#taken = new Uint8Array(count);
    this.#alone = new Uint8Array(count);
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

  /** Pieces that nobody fetches yet. */
  get unclaimed(): number {
    let sum = 0;
    for (let i = 0; i < this.count; i++) if (this.#isMissing(i)) sum++;
    return sum;
  }

  get runs(): ReadonlySet<PieceRange> {
    return this.#runs;
  }

  isVerified(piece: number): boolean {
    return this.#verified[piece] === 1;
  }

  /** The first missing pieces in a row, at most `most`; one that is to be asked for alone is a row of its own. */
  claim(most: number): PieceRange | undefined {
    let start = 0;
    while (start < this.count && !this.#isMissing(start)) start++;
    let end = start;
    while (end < this.count && end - start < most && this.#isMissing(end) && !this.#alone[end]) end++;
    if (this.#alone[start]) end = start + 1;
    return end > start ? this.#begin(start, end) : undefined;
  }

  /** Takes the last `pieces` pieces of `victim` over; it keeps at least the one under way. */
  steal(victim: PieceRange, pieces: number): PieceRange | undefined {
    const start = Math.max(victim.next + 1, victim.end - pieces);
    if (!this.#runs.has(victim) || start >= victim.end) return undefined;
    const { end } = victim;
    victim.end = start;
    for (let i = start; i < end; i++) this.#taken[i]!--;
    return this.#begin(start, end);
  }

  /** Fetches the piece that `slow` has under way a second time. */
  duplicate(slow: PieceRange): PieceRange | undefined {
    const piece = slow.next;
    if (!this.#runs.has(slow) || piece >= slow.end) return undefined;
    if (this.isVerified(piece) || this.#taken[piece]! >= MOST_COPIES) return undefined;
    return this.#begin(piece, piece + 1);
  }

  /** Counts the piece that `by` brought; false if it was there already. Its other copy is cancelled. */
  verify(piece: number, by?: PieceRange): boolean {
    if (this.isVerified(piece)) return false;
    this.#verified[piece] = 1;
    this.#left--;
    for (const run of this.#runs) {
      if (run !== by && run.next === piece && run.end === piece + 1) run.cancel.abort();
    }
    return true;
  }

  /** A bad answer to a whole run does not say which piece it is about: the rest of them is asked for one by one. */
  split(run: PieceRange): void {
    this.#alone.fill(1, run.next, run.end);
  }

  /** Ends a run, finished or not. */
  release(run: PieceRange): void {
    if (!this.#runs.delete(run)) return;
    for (let i = run.start; i < run.end; i++) this.#taken[i]!--;
  }

  #isMissing(piece: number): boolean {
    return this.#verified[piece] === 0 && this.#taken[piece] === 0;
  }

  #begin(start: number, end: number): PieceRange {
    const run: PieceRange = { start, next: start, end, cancel: new AbortController() };
    for (let i = start; i < end; i++) this.#taken[i]!++;
    this.#runs.add(run);
    return run;
  }
}
