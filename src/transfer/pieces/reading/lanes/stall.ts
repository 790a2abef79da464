import type { Tuning } from "../tuning.ts";

/** What the watch sees of a lane that has a request under way. */
export interface LaneView {
  /** When the oldest request under way began. */
  readonly busySince: number;
  /** When a byte last came or, if none has since, the request began. */
  readonly lastByteAt: number;
  /** Undefined until the lane has answered once. */
  readonly rttMs: number | undefined;
  /** Bytes per second over the last `slowMs`. */
  readonly rate: number;
}

const FEWEST_TO_COMPARE = 3;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The lanes that should come back on a new circuit: silent for too long, or far slower than the others
 * for as long as rates are measured.
 */
export function stalledLanes<T extends LaneView>(lanes: readonly T[], now: number, tuning: Tuning): T[] {
  const judged = lanes.filter((lane) => now - lane.busySince >= tuning.slowMs);
  const slow =
    judged.length >= FEWEST_TO_COMPARE ? tuning.slowShare * median(judged.map((lane) => lane.rate)) : 0;
  return lanes.filter((lane) => {
    const patience = lane.rttMs === undefined ? tuning.connectMs : Math.max(tuning.stallMs, 4 * lane.rttMs);
    if (now - lane.lastByteAt > patience) return true;
    return judged.includes(lane) && lane.rate < slow;
  });
}
