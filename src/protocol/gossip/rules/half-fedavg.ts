import type { AveragingPlan, AveragingRule } from "./rule.ts";

/** The paper's equation 2: the mean of what came in, and as much of the peer's own; no one is judged. */
export const halfFedAvg: AveragingRule = {
  name: "half-fedavg",
  summary: "half its own model, half the mean of the received ones",
  plan({ received }) {
    return halves(received.map(() => 1));
  },
};

/** The own model is one half; the received ones share the other by weight, or evenly where no weight is above 0. */
export function halves(weights: readonly number[]): AveragingPlan {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const shares = weights.map((weight) => (sum === 0 ? 1 / weights.length : weight / sum));
  return {
    own: 0.5,
    received: shares.map((share) => share / 2),
    reputations: new Map(),
  };
}
