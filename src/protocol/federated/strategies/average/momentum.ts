import type { Strategy } from "../../strategy.ts";
import { takeAll } from "./fedavg.ts";

/**
 * Hsu et al. 2019 (FedAvgM): the mean is a gradient to a server with momentum, v' = momentum·v + mean, and the model moves
 * by lr·v'. Rounds that pull in different directions cancel; those that agree add up to 1 / (1 - momentum) times as far.
 * Settings are thousandths.
 */
export const momentum: Strategy = {
  name: "momentum",
  summary: "fedavg with momentum at the server (FedAvgM)",
  needs: [],
  settings: {
    /** How far the model moves by v'. */
    lr: 1000,
    /** What is left of v after a round. */
    momentum: 500,
  },
  combine: "mean",
  server: "momentum",
  accuracyGate: false,
  plan: (facts) => takeAll(facts),
};
