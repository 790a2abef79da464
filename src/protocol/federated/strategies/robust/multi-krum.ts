import type { Facts, Strategy } from "../../strategy.ts";
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
    const count = facts.members.length;
    const assumed = Math.floor((count * bad) / 1000);
    const scores = krumScores(distancesOf(facts), [...facts.members.keys()], assumed);
    const order = [...scores.keys()].sort((a, b) => ascending(scores[a]!, scores[b]!) || a - b);
    const taken = order.slice(0, Math.max(1, count - assumed)).sort((a, b) => a - b);
    const plan = takeAll(facts, taken);
    return { ...plan, weights: plan.weights.map((rows) => Math.min(rows, 1)) };
  },
};

/** Squared distances of every pair. */
export function distancesOf({ products: { squares, pairs } }: Facts): bigint[][] {
  return squares.map((square, i) => squares.map((other, j) => square + other - 2n * pairs[i]![j]!));
}

/** Of each of `members` the sum of the squared distances to the nearest others of them, all but `assumed` and 2. */
export function krumScores(
  distances: readonly (readonly bigint[])[],
  members: readonly number[],
  assumed: number,
): bigint[] {
  const near = Math.max(1, members.length - assumed - 2);
  return members.map((i) =>
    members
      .filter((j) => j !== i)
      .map((j) => distances[i]![j]!)
      .sort(ascending)
      .slice(0, near)
      .reduce((sum, distance) => sum + distance, 0n),
  );
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
