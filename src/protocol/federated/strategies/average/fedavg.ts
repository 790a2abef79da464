import type { AggregatePlan, Facts, Strategy } from "../../strategy.ts";

/**
 * McMahan et al. 2017 (FedAvg): the mean of all updates, weighted by allotted rows. It is as accurate as any rule where
 * everyone is honest, and one provider that multiplies its update is enough to ruin it: it is here as the control, and
 * for jobs whose providers are known.
 */
export const fedavg: Strategy = {
  name: "fedavg",
  summary: "mean of all updates by rows; no defence",
  needs: [],
  settings: {},
  combine: "mean",
  server: "plain",
  accuracyGate: false,
  plan: (facts) => takeAll(facts),
};

/** A plan that takes `taken` at once, each by its allotted rows. */
export function takeAll(facts: Facts, taken: readonly number[] = everyone(facts)): AggregatePlan {
  const within = new Set(taken);
  return {
    groups: taken.length === 0 ? [] : [taken],
    weights: facts.members.map(({ rows }, i) => (within.has(i) ? rows : 0)),
    rootWeight: 0,
    memory: {},
    suspects: [],
  };
}

function everyone({ members }: Facts): number[] {
  return [...members.keys()];
}
