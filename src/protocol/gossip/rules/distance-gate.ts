import type { Address } from "../../ids.ts";
import type { AveragingRule, MeasuredModel } from "./rule.ts";

/** A model further away than this many times what is usual among a buffer's generators is not taken. */
const FAR = 5;
/** How fast an opinion follows what is seen. */
const RATE = 0.1;

/**
 * Ours. A received model that lies much further from the peer's own than is usual among those that came with it is not
 * taken: with few labels in sight accuracy says little of a model, but what was not trained from what all had before is
 * far from everyone. The others weigh their generator's reputation × their accuracy, against the own one's accuracy, so
 * that a peer whose data teach it little listens more; a generator's models share one weight, so that sending more is
 * worth nothing. Reputation is a moving average of being taken: an honest peer with rare labels keeps it, and who sends
 * sound models again wins it back.
 */
export const distanceGate: AveragingRule = {
  name: "distance-gate",
  summary: "leaves out what is far from all, weighs the rest by reputation and accuracy; reputations recover",
  plan({ own, received, reputationOf }) {
    const nearest = nearestOf(received);
    const most = FAR * lowerMedian([...nearest.values()]);
    const reputations = new Map<Address, number>();
    // With one generator there is nothing to compare it with.
    for (const [generator, distance] of nearest.size > 1 ? nearest : []) {
      const before = reputationOf(generator);
      reputations.set(generator, before + RATE * ((distance <= most ? 1 : 0) - before));
    }
    const shares = received.map(({ generator, accuracy, distance }) => {
      const copies = received.filter((one) => one.generator === generator).length;
      return distance > most ? 0 : (reputationOf(generator) * accuracy) / copies;
    });
    const sum = shares.reduce((total, share) => total + share, own);
    return { own: sum === 0 ? 1 : own, received: shares, reputations };
  },
};

/** How near the nearest model of each generator is. */
function nearestOf(received: readonly MeasuredModel[]): Map<Address, number> {
  const nearest = new Map<Address, number>();
  for (const { generator, distance } of received) {
    nearest.set(generator, Math.min(distance, nearest.get(generator) ?? Number.POSITIVE_INFINITY));
  }
  return nearest;
}

function lowerMedian(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!;
}
