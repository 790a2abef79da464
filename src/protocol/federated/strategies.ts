import { adam } from "./strategies/average/adam.ts";
import { diloco } from "./strategies/average/diloco.ts";
import { distillation } from "./strategies/average/distillation.ts";
import { fedavg } from "./strategies/average/fedavg.ts";
import { fedprox } from "./strategies/average/fedprox.ts";
import { momentum } from "./strategies/average/momentum.ts";
import { bottomUp } from "./strategies/robust/bottom-up.ts";
import { bulyan } from "./strategies/robust/bulyan.ts";
import { dbscanOrder } from "./strategies/robust/dbscan.ts";
import { gate } from "./strategies/robust/gate.ts";
import { coordinateMedian } from "./strategies/robust/median.ts";
import { multiKrum } from "./strategies/robust/multi-krum.ts";
import { rootCosine } from "./strategies/robust/root-cosine.ts";
import { trimmedMean } from "./strategies/robust/trimmed-mean.ts";
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
  bulyan,
  bottomUp,
  dbscanOrder,
  distillation,
] as const satisfies readonly Strategy[];

export const strategyNames = strategies.map(({ name }) => name);

export function strategyOf(name: string): Strategy | undefined {
  return strategies.find((one) => one.name === name);
}
