import { adam } from "./strategies/adam.ts";
import { bottomUp } from "./strategies/bottom-up.ts";
import { dbscanOrder } from "./strategies/dbscan.ts";
import { diloco } from "./strategies/diloco.ts";
import { fedavg } from "./strategies/fedavg.ts";
import { fedprox } from "./strategies/fedprox.ts";
import { gate } from "./strategies/gate.ts";
import { coordinateMedian } from "./strategies/median.ts";
import { momentum } from "./strategies/momentum.ts";
import { multiKrum } from "./strategies/multi-krum.ts";
import { rootCosine } from "./strategies/root-cosine.ts";
import { trimmedMean } from "./strategies/trimmed-mean.ts";
import type { Strategy } from "./strategy.ts";

/** Every way to make one model of a round's updates, by name; the recommended first. */
export const strategies = [
  gate,
  rootCosine,
  fedavg,
  momentum,
  adam,
  fedprox,
  diloco,
  coordinateMedian,
  trimmedMean,
  multiKrum,
  bottomUp,
  dbscanOrder,
] as const satisfies readonly Strategy[];

export const strategyNames = strategies.map(({ name }) => name);

export function strategyOf(name: string): Strategy | undefined {
  return strategies.find((one) => one.name === name);
}
