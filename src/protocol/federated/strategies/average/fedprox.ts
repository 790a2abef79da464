import type { Strategy } from "../../strategy.ts";
import { takeAll } from "./fedavg.ts";

/**
 * Li et al. 2020 (FedProx): providers add prox/2 · |w - model|² to their loss, so that parts that differ much do not pull
 * the updates far apart; the server's part is fedavg's. `prox` is in thousandths, and reaches the task as
 * `local.prox` of its round. It costs a little accuracy where parts are alike, and steadies training where each has few
 * classes and several epochs a round.
 */
export const fedprox: Strategy = {
  name: "fedprox",
  summary: "fedavg where providers are held near the model while they train (prox)",
  needs: [],
  settings: {
    /** The pull towards the round's model; 0 is fedavg. */
    prox: 10,
  },
  combine: "mean",
  server: "plain",
  accuracyGate: false,
  plan: (facts) => takeAll(facts),
};
