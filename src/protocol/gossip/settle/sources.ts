import type { Hex } from "../../ids.ts";

/** Steps to the nearest mixture; each moves weight between two models, so that far fewer are usual. */
const STEPS = 400;
const CLOSE = 1e-9;

/** What a model could have been made of without training, and how far the model is from that. */
export interface Source {
  /** Shares of earlier models, above 0, together 1. */
  readonly shares: ReadonlyMap<Hex, number>;
  /** Euclidean. */
  readonly distance: number;
}

/**
 * The mixture of `earlier` models (convex: shares of at least 0 that make 1) that is nearest to `model`, by pairwise
 * Frank-Wolfe steps (Lacoste-Julien and Jaggi 2015). `dot`: inner product of two models' weights.
 */
export function sourceOf(model: Hex, earlier: readonly Hex[], dot: (a: Hex, b: Hex) => number): Source {
  const products = earlier.map((a) => earlier.map((b) => dot(a, b)));
  const towards = earlier.map((one) => dot(one, model));
  const far = earlier.map((_, i) => products[i]![i]! - 2 * towards[i]!);
  const start = far.indexOf(Math.min(...far));
  const shares = earlier.map((_, i) => (i === start ? 1 : 0));
  const slopes = earlier.map((_, i) => products[i]![start]! - towards[i]!);
  const scale = dot(model, model);
  for (let step = 0; step < STEPS; step++) {
    const to = slopes.indexOf(Math.min(...slopes));
    const held = slopes.map((slope, i) => (shares[i]! > 0 ? slope : Number.NEGATIVE_INFINITY));
    const from = held.indexOf(Math.max(...held));
    const gain = slopes[from]! - slopes[to]!;
    if (gain <= CLOSE * scale) break;
    const curve = products[to]![to]! - 2 * products[to]![from]! + products[from]![from]!;
    const moved = curve > 0 ? Math.min(shares[from]!, gain / curve) : shares[from]!;
    shares[to]! += moved;
    shares[from]! -= moved;
    for (let i = 0; i < slopes.length; i++) {
      slopes[i]! += moved * (products[i]![to]! - products[i]![from]!);
    }
  }
  // Of the squared distance: slopes are what the mixture's products are above the model's.
  const square = shares.reduce((sum, share, i) => sum + share * (slopes[i]! - towards[i]!), scale);
  return {
    shares: new Map(earlier.flatMap((one, i) => (shares[i]! > 0 ? [[one, shares[i]!] as const] : []))),
    distance: Math.sqrt(Math.max(0, square)),
  };
}
