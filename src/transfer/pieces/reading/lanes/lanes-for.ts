import type { Tuning } from "../tuning.ts";

/** Fewer bytes are not worth a circuit. */
const LANE_BYTES = 2 << 20;

/** Lanes that `bytes` are worth, whatever the distance. */
export function lanesFor(bytes: number, { maxLanes }: Pick<Tuning, "maxLanes">): number {
  return Math.max(1, Math.min(maxLanes, Math.ceil(bytes / LANE_BYTES)));
}
