import type { Strategy } from "../../strategy.ts";
import { takeAll } from "../average/fedavg.ts";
import { distancesOf, krumScores } from "./multi-krum.ts";

/**
 * El Mhamdi et al. 2018: of n updates, f of them assumed bad, Krum chooses n - 2f one after the other; of these each
 * parameter is the mean of the n - 4f values nearest to its median. It needs n ≥ 4f + 3, so that `bad` thousandths count
 * only as far as that allows: of ten providers one, never three. Rows do not count.
 */
export const bulyan: Strategy = {
  name: "bulyan",
  summary:
    "mean of each parameter's values near the median, of updates that Krum chose; one bad of ten at most",
  needs: ["pairs"],
  settings: { bad: 300 },
  combine: "near-median",
  server: "plain",
  accuracyGate: false,
  plan(facts, { bad = 300 }) {
    const count = facts.members.length;
    const most = Math.max(0, Math.floor((count - 3) / 4));
    const assumed = Math.min(Math.floor((count * bad) / 1000), most);
    const distances = distancesOf(facts);
    const left = [...distances.keys()];
    const taken: number[] = [];
    while (taken.length < count - 2 * assumed) {
      const scores = krumScores(distances, left, assumed);
      const best = scores.reduce((least, score, at) => (score < scores[least]! ? at : least), 0);
      taken.push(...left.splice(best, 1));
    }
    const plan = takeAll(
      facts,
      taken.sort((a, b) => a - b),
    );
    return {
      ...plan,
      kept: Math.max(1, count - 4 * assumed),
      weights: plan.weights.map((rows) => Math.min(rows, 1)),
    };
  },
};
