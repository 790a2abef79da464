import type { Strategy } from "../../strategy.ts";
import { takeAll } from "../average/fedavg.ts";

/**
 * Blanchard et al. 2017: of n updates, `bad` thousandths of them assumed bad (f), those n - f whose n - f - 2 nearest
 * others are nearest together. It costs accuracy where no one is bad.
 */
export const multiKrum: Strategy = {
  name: "multi-krum",
  summary: "mean of the updates nearest to one another; costs accuracy where nobody cheats",
  needs: ["pairs"],
  settings: { bad: 300 },
  combine: "mean",
  server: "plain",
  accuracyGate: false,
  plan(facts, { bad = 300 }) {
    const { squares, pairs } = facts.products;
    const count = squares.length;
    const assumed = Math.floor((count * bad) / 1000);
    const near = Math.max(1, count - assumed - 2);
    const scores = squares.map((square, i) =>
      squares
        .map((other, j) => square + other - 2n * pairs[i]![j]!)
        .filter((_, j) => j !== i)
        .sort(ascending)
        .slice(0, near)
        .reduce((sum, distance) => sum + distance, 0n),
    );
    const order = [...scores.keys()].sort((a, b) => ascending(scores[a]!, scores[b]!) || a - b);
    const taken = order.slice(0, Math.max(1, count - assumed)).sort((a, b) => a - b);
    const plan = takeAll(facts, taken);
    return { ...plan, weights: plan.weights.map((rows) => Math.min(rows, 1)) };
  },
};

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
