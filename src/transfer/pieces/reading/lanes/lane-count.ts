import type { Tuning } from "../tuning.ts";

type ClimbTuning = Pick<Tuning, "startLanes" | "maxLanes" | "laneStep" | "climbMs">;
/** More lanes must bring so much more, or they only cost circuits. */
const WORTH_IT = 1.05;
/** After a step that brought nothing, so many trials pass before the next one. */
const REST_TRIALS = 5;

/**
 * Climbs from `startLanes` to `maxLanes` while the aggregate rate rises, a step a trial; a step that
 * does not pay is taken back. Pure: the caller brings the clock and the bytes.
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

  /** `bytes`: received since the start; `secondsLeft`: no step is worth it close to the end. */
  observe(now: number, bytes: number, secondsLeft: number): void {
    const { climbMs, maxLanes, laneStep } = this.#tuning;
    // The first half of a trial belongs to circuits being built and windows opening.
    if (now - this.#trialFrom >= climbMs / 2) this.#measuredFrom ??= { at: now, bytes };
    if (now - this.#trialFrom < climbMs || !this.#measuredFrom || now <= this.#measuredFrom.at) return;
    const rate = ((bytes - this.#measuredFrom.bytes) * 1000) / (now - this.#measuredFrom.at);
    this.#trialFrom = now;
    this.#measuredFrom = undefined;
    if (this.#before && rate < this.#before.rate * WORTH_IT) {
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
