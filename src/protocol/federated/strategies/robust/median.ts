import type { Strategy } from "../../strategy.ts";
import { takeAll } from "../average/fedavg.ts";

/**
 * Yin et al. 2018: the median of each parameter, whatever the rows. It stands up to almost half of the providers where
 * parts are alike; where they are not, the median of what different parts want is often nothing at all. Of an even number
 * it is the mean of the two in the middle, rounded down.
 *
 * Rows do not count, since one provider with many would decide alone; nor does the norm of an update, since one value more or
 * less at an end moves no median.
 */
export const coordinateMedian: Strategy = {
  name: "median",
  summary: "median of each parameter; weak where parts differ much",
  needs: [],
  settings: {},
  combine: "median",
  server: "plain",
  accuracyGate: false,
  plan: (facts) => takeAll(facts),
};
