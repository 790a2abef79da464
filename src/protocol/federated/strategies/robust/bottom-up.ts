import { cosine, medianOf, ONE, squareRoot } from "../../exact.ts";
import type { Facts, Strategy } from "../../strategy.ts";
import { takeAll } from "../average/fedavg.ts";

/**
 * The Fair Platform paper's aggregation, made precise: similar updates are joined from the bottom to the top (average
 * link by cosine, down to `stop`); the cluster C with the largest |C|·(1 - spread·σ), σ the standard deviation of its
 * pairwise cosines, is the aggregate, if the model does not get less accurate by it.
 */
export const bottomUp: Strategy = {
  name: "bottom-up",
  summary: "the largest even cluster by cosine, joined bottom-up, behind an accuracy gate",
  needs: ["pairs"],
  settings: { stop: 0, spread: 1000 },
  combine: "mean",
  server: "plain",
  accuracyGate: true,
  plan(facts, { stop = 0, spread = 1000 }) {
    const cosines = pairwiseCosines(facts);
    const clusters = joinClusters(cosines, (stop * ONE) / 1000);
    const worth = clusters.map(
      (cluster) => cluster.length * (1000 * ONE - spread * deviation(cosines, cluster)),
    );
    const best = worth.indexOf(Math.max(...worth));
    const clip = medianOf(facts.products.squares.map(squareRoot));
    return { ...takeAll(facts, clusters[best] ?? []), clip };
  },
};

/** Cosines of every pair in units of 2^-20. */
export function pairwiseCosines({ products: { squares, pairs } }: Facts): number[][] {
  return squares.map((a, i) => squares.map((b, j) => (i === j ? ONE : cosine(pairs[i]![j]!, a, b))));
}

/**
 * Average-link agglomeration: joins the two clusters with the largest mean cosine while it is above `stop`; the earlier
 * pair where two are equal. Members ascend within a cluster, clusters by their first member.
 */
export function joinClusters(cosines: readonly (readonly number[])[], stop: number): number[][] {
  const clusters = cosines.map((_, i) => [i]);
  for (;;) {
    let best: { a: number; b: number; sum: number; count: number } | undefined;
    for (let a = 0; a < clusters.length; a++) {
      for (let b = a + 1; b < clusters.length; b++) {
        const count = clusters[a]!.length * clusters[b]!.length;
        const sum = linkSum(cosines, clusters[a]!, clusters[b]!);
        if (sum <= stop * count) continue;
        // Means are compared crosswise: below 2^53 for up to 60 members a cluster, and above it in whole numbers.
        if (best === undefined || BigInt(sum) * BigInt(best.count) > BigInt(best.sum) * BigInt(count)) {
          best = { a, b, sum, count };
        }
      }
    }
    if (best === undefined) return clusters;
    clusters[best.a] = [...clusters[best.a]!, ...clusters[best.b]!].sort((x, y) => x - y);
    clusters.splice(best.b, 1);
  }
}

function linkSum(
  cosines: readonly (readonly number[])[],
  a: readonly number[],
  b: readonly number[],
): number {
  let sum = 0;
  for (const i of a) for (const j of b) sum += cosines[i]![j]!;
  return sum;
}

/** Standard deviation of the cluster's pairwise cosines, in units of 2^-20, rounded down. */
function deviation(cosines: readonly (readonly number[])[], cluster: readonly number[]): number {
  const values = cluster.flatMap((i, at) => cluster.slice(at + 1).map((j) => BigInt(cosines[i]![j]!)));
  if (values.length === 0) return 0;
  const count = BigInt(values.length);
  const sum = values.reduce((total, value) => total + value, 0n);
  const squares = values.reduce((total, value) => total + value * value, 0n);
  return Number(squareRoot((squares * count - sum * sum) / (count * count)));
}
