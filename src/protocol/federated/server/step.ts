import { divide } from "../exact.ts";
import type { ServerStep } from "../strategy.ts";
import { adamStep } from "./adam.ts";

export const plainStep: ServerStep = { kind: "plain", lr: 1000, momentum: 0, beta1: 0, beta2: 0, tau: 0 };

/** A move is cut at ±16384, so that ten thousand times it stays exact. */
const MOST = 2 ** 38;

/** Vectors of state that a step keeps from round to round; they begin as zeros. */
export function stateCount({ kind }: ServerStep): number {
  return kind === "plain" ? 0 : kind === "adam" ? 2 : 1;
}

/**
 * Turns the first `size` of `change` into the model's step, and `states` into the next round's, all in whole units.
 * A change is below 2^32; with momentum of at most 0.999 the sums stay below 2^53.
 */
export function applyStep(
  step: ServerStep,
  change: Float64Array,
  states: readonly Float64Array[],
  size: number,
): void {
  if (step.kind === "adam") adamStep(step, change, states, size);
  else momentumStep(step, change, states, size);
}

function momentumStep(
  { kind, lr, momentum }: ServerStep,
  change: Float64Array,
  states: readonly Float64Array[],
  size: number,
): void {
  const [velocity] = states;
  for (let i = 0; i < size; i++) {
    let move = change[i]!;
    if (velocity !== undefined) {
      const next = divide(velocity[i]! * momentum, 1000) + move;
      velocity[i] = next;
      move = kind === "nesterov" ? move + divide(next * momentum, 1000) : next;
    }
    change[i] = divide(Math.max(-MOST, Math.min(move, MOST)) * lr, 1000);
  }
}
