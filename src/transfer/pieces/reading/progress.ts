import type { FetchProgress } from "../../../ports/transport.ts";
import { pieceLength } from "../wire.ts";
import { RateMeter } from "./lanes/rate-meter.ts";
import type { BlobShape } from "./part-file.ts";

const WINDOW_MS = 5_000;
type OnProgress = ((progress: FetchProgress) => void) | undefined;

/** Counts received and verified bytes, and reports them. Times are milliseconds of one clock. */
export class Progress {
  readonly #total: number;
  readonly #onProgress: OnProgress;
  readonly #meter: RateMeter;
  /** Most bytes of each piece that any try received. */
  readonly #furthest: Uint32Array;
  #metered = 0;
  /** Bytes of blob data received in this fetch, right or wrong. */
  received = 0;
  /** Those of them that no earlier try of their piece had received: bytes that are sent again are no progress. */
  fresh = 0;
  /** Bytes in verified pieces, those of earlier fetches included. */
  verified: number;

  constructor(
    { size, leaves }: BlobShape,
    verified: ReadonlySet<number>,
    onProgress: OnProgress,
    now: number,
  ) {
    this.#total = size;
    this.#furthest = new Uint32Array(leaves.length);
    this.verified = 0;
    for (const piece of verified) this.verified += pieceLength(piece, size);
    this.#onProgress = onProgress;
    this.#meter = new RateMeter(WINDOW_MS, now);
  }

  /** A try of `piece` has received `bytes` of it so far. */
  reached(piece: number, bytes: number): void {
    const before = this.#furthest[piece] ?? 0;
    if (bytes <= before) return;
    this.#furthest[piece] = bytes;
    this.fresh += bytes - before;
  }

  /** Undefined while the rate is 0. */
  secondsLeft(now: number): number | undefined {
    const rate = this.#rate(now);
    return rate > 0 ? (this.#total - this.verified) / rate : undefined;
  }

  report(now: number, laneRates: readonly number[]): void {
    const bytesPerSecond = this.#rate(now);
    const bytes = this.verified;
    const secondsLeft = this.secondsLeft(now);
    this.#onProgress?.({
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
