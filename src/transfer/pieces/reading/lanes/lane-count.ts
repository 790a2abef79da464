import type { Tuning } from "../tuning.ts";

type ClimbTuning = Pick<Tuning, "startLanes" | "maxLanes" | "laneStep" | "climbMs">;
/** Factor by which a step must raise the aggregate rate to be kept; each lane costs a circuit. */
const LEAST_GAIN = 1.05;
/** Trials without a step after one that was taken back. */
const REST_TRIALS = 5;
/** Bytes that justify one lane. */
const LANE_BYTES = 2 << 20;
/** The same at a distant host, where four times as many lanes carry a small blob in two round trips less. */
const FAR_LANE_BYTES = 1 << 19;

/** Lanes that pay for `bytes`. */
export function lanesFor(
  bytes: number,
  isFar: boolean,
  { maxLanes, farLanes }: Pick<Tuning, "maxLanes" | "farLanes">,
): number {
  const [most, worth] = isFar ? [farLanes, FAR_LANE_BYTES] : [maxLanes, LANE_BYTES];
  return Math.max(1, Math.min(most, Math.ceil(bytes / worth)));
}

/**
 * Climbs from `startLanes` to `maxLanes` while the aggregate rate rises, one step a trial; a step that does not pay is
 * taken back. Pure: the caller passes the clock and the bytes.
 */
export class LaneCount {
  readonly #tuning: ClimbTuning;
  #target: number;
  #trialFrom: number;
  #measuredFrom: { at: number; bytes: number } | undefined;
  #before: { rate: number; lanes: number } | undefined;
  #rest = 0;

  constructor(tuning: ClimbTuning, now: number) {
    this.#tuning = tuning;
    this.#target = tuning.startLanes;
    this.#trialFrom = now;
  }

  get target(): number {
    return this.#target;
  }

  /**
   * `now`: milliseconds; `bytes`: received since the start; `secondsLeft`: until the end at the present rate, because
   * a lane that opens close to it does not pay.
   */
  observe(now: number, bytes: number, secondsLeft: number): void {
    const { climbMs, maxLanes, laneStep } = this.#tuning;
    // In the first half of a trial circuits are built and windows open: the rate says nothing yet.
    if (now - this.#trialFrom >= climbMs / 2) this.#measuredFrom ??= { at: now, bytes };
    if (now - this.#trialFrom < climbMs || !this.#measuredFrom || now <= this.#measuredFrom.at) return;
    const rate = ((bytes - this.#measuredFrom.bytes) * 1000) / (now - this.#measuredFrom.at);
    this.#trialFrom = now;
    this.#measuredFrom = undefined;
    if (this.#before && rate < this.#before.rate * LEAST_GAIN) {
      this.#target = this.#before.lanes;
      this.#before = undefined;
      this.#rest = REST_TRIALS;
    } else if (this.#rest > 0) {
      this.#rest--;
    } else if (this.#target < maxLanes && secondsLeft * 1000 > 2 * climbMs) {
      this.#before = { rate, lanes: this.#target };
      this.#target = Math.min(maxLanes, this.#target + laneStep);
    } else {
      this.#before = undefined;
    }
  }
}
