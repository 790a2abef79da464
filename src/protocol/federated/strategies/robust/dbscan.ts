import { medianOf, ONE, squareRoot } from "../../exact.ts";
import type { Strategy } from "../../strategy.ts";
import { takeAll } from "../average/fedavg.ts";
import { pairwiseCosines } from "./bottom-up.ts";

/**
 * The Fair Platform paper's order: clusters of density by 1 - cosine (DBSCAN: `eps` thousandths, `points` neighbours),
 * the largest first; each joins the aggregate where the model does not get less accurate. Noise stays outside.
 */
export const dbscanOrder: Strategy = {
  name: "dbscan",
  summary: "clusters of density by cosine (DBSCAN), the largest first, each behind an accuracy gate",
  needs: ["pairs"],
  settings: { eps: 800, points: 3 },
  combine: "mean",
  server: "plain",
  accuracyGate: true,
  plan(facts, { eps = 800, points = 3 }) {
    const cosines = pairwiseCosines(facts);
    const labels = dbscan(cosines.length, (i, j) => 1000 * (ONE - cosines[i]![j]!) <= eps * ONE, points);
    const clusters = [...new Set(labels)].filter((label) => label >= 0).sort((a, b) => a - b);
    const groups = clusters
      .map((label) => [...labels.keys()].filter((i) => labels[i] === label))
      .sort((a, b) => b.length - a.length || a[0]! - b[0]!);
    const clip = medianOf(facts.products.squares.map(squareRoot));
    return { ...takeAll(facts, groups.flat()), groups, clip };
  },
};

/**
 * Ester et al. 1996. Labels of `count` points: clusters from 0 in the order of their first core point, -1 for noise; a
 * point on two borders goes to the earlier cluster. A point is its own neighbour, as in scikit-learn.
 */
export function dbscan(count: number, near: (i: number, j: number) => boolean, points: number): number[] {
  const indices = [...Array(count).keys()];
  const neighbours = indices.map((i) => indices.filter((j) => i === j || near(i, j)));
  const core = neighbours.map((list) => list.length >= points);
  const labels = new Array<number>(count).fill(-1);
  let cluster = 0;
  for (const start of indices) {
    if (labels[start] !== -1 || !core[start]) continue;
    const next = [start];
    for (let point = next.pop(); point !== undefined; point = next.pop()) {
      if (labels[point] !== -1) continue;
      labels[point] = cluster;
      if (core[point]) next.push(...neighbours[point]!.filter((other) => labels[other] === -1));
    }
    cluster += 1;
  }
  return labels;
}
