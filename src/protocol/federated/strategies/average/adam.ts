import type { Strategy } from "../../strategy.ts";
import { takeAll } from "./fedavg.ts";

/**
 * Reddi et al. 2021 (FedAdam): the mean is a gradient to Adam at the server, without bias correction. Each parameter moves
 * by lr · m / (√s + tau), m and s the running means of changes and of their squares. Settings are thousandths, `tau` is in
 * millionths.
 */
export const adam: Strategy = {
  name: "adam",
  summary: "fedavg with Adam at the server (FedAdam)",
  needs: [],
  settings: {
    lr: 10,
    /** What is left of m after a round, and of s. */
    beta1: 900,
    beta2: 990,
    /** Least divisor, which bounds the step of a parameter that hardly changes. */
    tau: 1000,
  },
  combine: "mean",
  server: "adam",
  accuracyGate: false,
  plan: (facts) => takeAll(facts),
};
