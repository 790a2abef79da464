import { CHUNK, type UpdateSource } from "./codec/chunk.ts";
import { type Combine, meanOf, middleOf, termsOf } from "./combine.ts";
import { applyStep, stateCount } from "./server/step.ts";
import { type Products, productsOf } from "./statistics.ts";
import type { AggregatePlan, Contributor, Memory, ServerStep, Settings, Strategy } from "./strategy.ts";
import { saturate, type VectorSink, type VectorSource } from "./vector.ts";

/** A member and its update; `root` and the updates are read chunk by chunk, as often as needed. */
export interface Entry extends Contributor {
  readonly update: UpdateSource;
}

export interface RoundInput {
  readonly strategy: Strategy;
  readonly settings: Settings;
  readonly server: ServerStep;
  readonly entries: readonly Entry[];
  /** The requester's own update, which some strategies need. */
  readonly root?: UpdateSource;
  readonly memory: Memory;
}

/** Round's entries in their order, what they have in common, and what the strategy makes of it. */
export interface Decision {
  readonly input: RoundInput;
  readonly entries: readonly Entry[];
  readonly products: Products;
  readonly plan: AggregatePlan;
}

/**
 * Decides what becomes of a round's updates. The order in which they came does not matter: they are sorted by address.
 * Everything is whole numbers, so that every machine decides alike.
 */
export function decide(input: RoundInput): Decision {
  const { strategy, settings, root, memory } = input;
  const entries = input.entries.toSorted((a, b) =>
    a.account.toLowerCase() < b.account.toLowerCase() ? -1 : 1,
  );
  const products = productsOf(
    entries.map(({ update }) => update),
    { ...(root !== undefined && { root }), pairs: strategy.needs.includes("pairs") },
  );
  const plan = strategy.plan({ members: entries, products, memory }, { ...strategy.settings, ...settings });
  return { input, entries, products, plan };
}

/** Where the next model and the server's states come from and go to. Sources and sinks may be the same vectors. */
export interface Vectors {
  readonly model: VectorSource;
  readonly states: readonly VectorSource[];
  readonly next: VectorSink;
  readonly nextStates: readonly VectorSink[];
}

/** Writes the model that follows from taking `taken` (indices of entries), a chunk at a time. */
export function makeNext(decision: Decision, taken: readonly number[], vectors: Vectors): void {
  const { server } = decision.input;
  const { model, states, next, nextStates } = vectors;
  const chunk = new Float64Array(CHUNK);
  const stateChunks = Array.from({ length: stateCount(server) }, () => new Float64Array(CHUNK));
  combined(
    decision,
    taken,
    model.length,
  )((change, size, index) => {
    for (const [at, state] of stateChunks.entries()) states[at]!.load(index, state);
    applyStep(server, change, stateChunks, size);
    for (const [at, state] of stateChunks.entries()) nextStates[at]!.store(index, state, size);
    model.load(index, chunk);
    for (let i = 0; i < size; i++) chunk[i] = saturate(chunk[i]! + change[i]!);
    next.store(index, chunk, size);
  });
}

function combined(
  { input, entries, products, plan }: Decision,
  taken: readonly number[],
  length: number,
): Combine {
  const { strategy, settings, root } = input;
  const updates = entries.map(({ update }) => update);
  if (strategy.combine === "mean") {
    return meanOf(termsOf(plan, taken, products, { updates, ...(root !== undefined && { root }) }), length);
  }
  const chosen = taken.map((i) => updates[i]!);
  const { trim = 0 } = { ...strategy.settings, ...settings };
  const most = Math.max(0, (chosen.length - 1) >> 1);
  const cut =
    strategy.combine === "median" ? most : Math.min(Math.floor((chosen.length * trim) / 1000), most);
  return middleOf(chosen, cut, length);
}

/**
 * Which members a plan takes. Without an accuracy gate all groups; with one, each group for which `accuracyOf` the model
 * made with it is not lower than before it. `before` is the accuracy of the round's model.
 */
export async function chooseGroups(
  { input, plan }: Decision,
  before: number,
  accuracyOf: (taken: readonly number[]) => number | Promise<number>,
): Promise<number[]> {
  if (!input.strategy.accuracyGate) return plan.groups.flat().toSorted((a, b) => a - b);
  let taken: number[] = [];
  let best = before;
  for (const group of plan.groups) {
    const candidate = [...taken, ...group].sort((a, b) => a - b);
    const accuracy = await accuracyOf(candidate);
    if (accuracy < best) continue;
    taken = candidate;
    best = accuracy;
  }
  return taken;
}
