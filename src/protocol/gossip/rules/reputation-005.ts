import type { Address } from "../../ids.ts";
import { halves } from "./half-fedavg.ts";
import type { AveragingRule } from "./rule.ts";

const PUNISHMENT = 0.05;

/**
 * The paper's equations 3 and 4, as its authors' code has them: weights are reputation × accuracy, with the reputation
 * before this averaging; every model of the lowest accuracy then costs its generator 0.05. Nothing gives it back, so in a
 * long run honest peers lose theirs too.
 */
export const reputation005: AveragingRule = {
  name: "reputation-0.05",
  summary: "weights by reputation and accuracy; the least accurate lose 0.05 of theirs each time",
  plan({ received, reputationOf }) {
    const plan = halves(received.map(({ generator, accuracy }) => reputationOf(generator) * accuracy));
    const least = Math.min(...received.map(({ accuracy }) => accuracy));
    const reputations = new Map<Address, number>();
    for (const { generator, accuracy } of received) {
      if (accuracy !== least) continue;
      const before = reputations.get(generator) ?? reputationOf(generator);
      reputations.set(generator, Math.max(0, before - PUNISHMENT));
    }
    return { ...plan, reputations };
  },
};
