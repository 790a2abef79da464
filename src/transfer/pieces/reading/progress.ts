import type { FetchProgress } from "../../../ports/transport.ts";
import { pieceLength } from "../wire.ts";
import { RateMeter } from "./lanes/rate-meter.ts";
import type { BlobShape } from "./part-file.ts";

const WINDOW_MS = 5_000;
type Tell = ((progress: FetchProgress) => void) | undefined;

/** Counts what comes in, and tells it. */
export class Progress {
  readonly #total: number;
  readonly #tell: Tell;
  readonly #meter: RateMeter;
  /** How far each piece has come at most, over all tries; bytes. */
  readonly #furthest: Uint32Array;
  #metered = 0;
  /** Bytes of blob data that came in this fetch, good or bad. */
  received = 0;
  /** Those of them that no earlier try of their piece had brought: what a host sends anew each time leads nowhere. */
  fresh = 0;
  /** Bytes in verified pieces, those of earlier fetches included. */
  verified: number;

  constructor({ size, leaves }: BlobShape, verified: ReadonlySet<number>, tell: Tell, now: number) {
    this.#total = size;
    this.#furthest = new Uint32Array(leaves.length);
    this.verified = 0;
    for (const piece of verified) this.verified += pieceLength(piece, size);
    this.#tell = tell;
    this.#meter = new RateMeter(WINDOW_MS, now);
  }

  /** A try of `piece` has brought `bytes` of it so far. */
  reached(piece: number, bytes: number): void {
    const before = this.#furthest[piece] ?? 0;
    if (bytes <= before) return;
    this.#furthest[piece] = bytes;
    this.fresh += bytes - before;
  }

  /** Undefined while nothing comes. */
  secondsLeft(now: number): number | undefined {
    const rate = this.#rate(now);
    return rate > 0 ? (this.#total - this.verified) / rate : undefined;
  }

  tell(now: number, laneRates: readonly number[]): void {
    const bytesPerSecond = this.#rate(now);
    const bytes = this.verified;
    const secondsLeft = this.secondsLeft(now);
    this.#tell?.({
      bytes,
      total: this.#total,
      bytesPerSecond,
      laneRates,
      secondsLeft,
    });
  }

  #rate(now: number): number {
    this.#meter.add(this.received - this.#metered, now);
    this.#metered = this.received;
    return this.#meter.rate(now);
  }
}
