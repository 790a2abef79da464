import type { Strategy } from "../../strategy.ts";
import { takeAll } from "../average/fedavg.ts";

/**
 * Yin et al. 2018: the mean of each parameter without the `trim` thousandths at either end, whatever the rows. It stands
 * up to as many cheats as are cut off at one end, and loses what honest providers alone know, as the median does. Every parameter is
 * decided by itself, so that two cheats may be cut off in one and count in another.
 */
export const trimmedMean: Strategy = {
  name: "trimmed-mean",
  summary: "mean of each parameter without the largest and smallest; weak where parts differ much",
  needs: [],
  settings: {
    /** Of the updates, how many are cut off at either end, rounded down; one or two in the middle stay. */
    trim: 300,
  },
  combine: "trimmed-mean",
  server: "plain",
  accuracyGate: false,
  plan: (facts) => takeAll(facts),
};
