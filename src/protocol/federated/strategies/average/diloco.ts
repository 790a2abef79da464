import type { Strategy } from "../../strategy.ts";
import { takeAll } from "./fedavg.ts";

/**
 * Douillard et al. 2023 (DiLoCo): many inner steps (`local.epochs`), then one outer Nesterov step on the mean:
 * v' = momentum·v + mean, and the model moves by lr·(mean + momentum·v'). Few rounds carry far, so it suits models whose
 * updates are expensive to send. Settings are thousandths.
 */
export const diloco: Strategy = {
  name: "diloco",
  summary: "many inner steps, then an outer Nesterov step on the mean; few rounds, little traffic",
  needs: [],
  settings: {
    /** How far the model moves: the paper's 0.7. */
    lr: 700,
    /** What is left of v after a round: the paper's 0.9. */
    momentum: 900,
  },
  combine: "mean",
  server: "nesterov",
  accuracyGate: false,
  plan: (facts) => takeAll(facts),
};
