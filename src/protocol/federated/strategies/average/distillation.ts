import { medianOf, squareRoot } from "../../exact.ts";
import type { Strategy } from "../../strategy.ts";
import { takeAll } from "./fedavg.ts";

/**
 * Federated distillation (Jeong et al. 2018; Lin et al. 2020, FedDF): providers send what their models say of public rows
 * whose labels they do not know, not the models. An update is the change of these scores (logits), a value a row and
 * class, whatever the size of the model; the mean by rows, each clipped to the median norm, is what the next model is
 * trained to say, `epochs` times over the public rows. Scores are combined exactly; that training is not, and is replayed
 * where it is doubted.
 */
export const distillation: Strategy = {
  name: "distillation",
  summary: "providers send what their models say of public rows, and the model learns it; small updates",
  needs: [],
  labels: true,
  settings: { epochs: 10 },
  combine: "mean",
  server: "plain",
  accuracyGate: false,
  plan: (facts) => ({ ...takeAll(facts), clip: medianOf(facts.products.squares.map(squareRoot)) }),
};
