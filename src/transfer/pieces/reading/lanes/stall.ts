import type { Tuning } from "../tuning.ts";

/** What is known of a lane that has a request under way. Times are milliseconds of one clock. */
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

/** With fewer lanes a median says nothing about the slowest. */
const FEWEST_TO_COMPARE = 3;

/** The middle of `values`, or the mean of the middle two; 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The lanes to replace by ones on new circuits: without a byte for too long, or below `slowShare` of the median rate
 * for `slowMs`.
 */
export function stalledLanes<T extends LaneView>(lanes: readonly T[], now: number, tuning: Tuning): T[] {
  const judged = lanes.filter((lane) => now - lane.busySince >= tuning.slowMs);
  const slow =
    judged.length >= FEWEST_TO_COMPARE ? tuning.slowShare * median(judged.map((lane) => lane.rate)) : 0;
  return lanes.filter((lane) => {
    const limitMs = lane.rttMs === undefined ? tuning.connectMs : Math.max(tuning.stallMs, 4 * lane.rttMs);
    if (now - lane.lastByteAt > limitMs) return true;
    return judged.includes(lane) && lane.rate < slow;
  });
}
