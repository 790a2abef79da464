import type { FetchProgress } from "../../../ports/transport.ts";
import { pieceLength } from "../wire.ts";
import type { BlobShape } from "./part-file.ts";
import { RateMeter } from "./rate-meter.ts";

const WINDOW_MS = 5_000;
type Tell = ((progress: FetchProgress) => void) | undefined;

/** Counts what comes in, and tells it. */
export class Progress {
  readonly #total: number;
  readonly #tell: Tell;
  readonly #meter: RateMeter;
  #metered = 0;
  /** Bytes of blob data that came in this fetch, good or bad. */
  received = 0;
  /** Bytes in verified pieces, those of earlier fetches included. */
  verified: number;

  constructor({ size }: BlobShape, verified: ReadonlySet<number>, tell: Tell, now: number) {
    this.#total = size;
    this.verified = 0;
    for (const piece of verified) this.verified += pieceLength(piece, size);
    this.#tell = tell;
    this.#meter = new RateMeter(WINDOW_MS, now);
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
      lanes: laneRates.length,
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
