import { CHUNK, type ChunkRange, everyChunk, type UpdateSource } from "./codec/chunk.ts";
import { type Combination, combineBy, factorsOf } from "./combine.ts";
import { applyStep, stateCount } from "./server/step.ts";
import { type Products, productsOf } from "./statistics.ts";
import type { AggregatePlan, Contributor, Memory, ServerStep, Settings, Strategy } from "./strategy.ts";
import { saturate, type VectorSink, type VectorSource } from "./vector.ts";

/** What a job's rounds are aggregated by. */
export interface RoundRules {
  readonly strategy: Strategy;
  readonly settings: Settings;
  readonly server: ServerStep;
  readonly memory: Memory;
}

/** A member and its update, which is read chunk by chunk, as often as needed. */
export interface Entry extends Contributor {
  readonly update: UpdateSource;
}

export interface RoundInput extends RoundRules {
  readonly entries: readonly Entry[];
  /** The requester's own update, which some strategies need. */
  readonly root?: UpdateSource;
}

/** Round's entries in their order, what they have in common, and what the strategy makes of it. */
export interface Decision<Member extends Contributor = Contributor> {
  readonly rules: RoundRules;
  readonly entries: readonly Member[];
  readonly products: Products;
  readonly plan: AggregatePlan;
}

/** A decision on updates that are at hand: those of the entries, then the root update. */
export interface OpenDecision extends Decision<Entry> {
  readonly updates: readonly UpdateSource[];
}

/** Decides what becomes of a round's updates. The order in which they came does not matter. */
export function decide(input: RoundInput): OpenDecision {
  const { strategy, root } = input;
  const entries = byAddress(input.entries);
  const updates = [...entries.map(({ update }) => update), ...(root === undefined ? [] : [root])];
  const wanted = { root: root !== undefined, pairs: strategy.needs.includes("pairs") };
  return { ...decideFrom(input, entries, productsOf(updates, wanted)), updates };
}

/** The order in which a round's entries are worked on: that of their addresses. */
export function byAddress<Member extends Contributor>(entries: readonly Member[]): Member[] {
  return entries.toSorted((a, b) => (a.account.toLowerCase() < b.account.toLowerCase() ? -1 : 1));
}

/** The same of entries in their order whose products are known. All is whole numbers: every machine decides alike. */
export function decideFrom<Member extends Contributor>(
  { strategy, settings, server, memory }: RoundRules,
  entries: readonly Member[],
  products: Products,
): Decision<Member> {
  const plan = strategy.plan({ members: entries, products, memory }, { ...strategy.settings, ...settings });
  return { rules: { strategy, settings, server, memory }, entries, products, plan };
}

/** How the model moves in a round; plain values, which another thread can be sent. */
export interface ModelStep {
  readonly combination: Combination;
  readonly server: ServerStep;
}

/** What follows from taking `taken` (indices of entries). */
export function stepOf({ rules, plan, products }: Decision, taken: readonly number[]): ModelStep {
  const { strategy, settings, server } = rules;
  if (strategy.combine === "mean") {
    return { combination: { kind: "mean", factors: factorsOf(plan, taken, products) }, server };
  }
  if (strategy.combine === "near-median") {
    const kept = Math.min(plan.kept ?? taken.length, taken.length);
    return { combination: { kind: "near-median", chosen: taken, kept }, server };
  }
  const { trim = 0 } = { ...strategy.settings, ...settings };
  const most = Math.max(0, (taken.length - 1) >> 1);
  const cut = strategy.combine === "median" ? most : Math.min(Math.floor((taken.length * trim) / 1000), most);
  return { combination: { kind: "middle", chosen: taken, cut }, server };
}

/** Where the next model and the server's states come from and go to. Sources and sinks may be the same vectors. */
export interface Vectors {
  readonly model: VectorSource;
  readonly states: readonly VectorSource[];
  readonly next: VectorSink;
  readonly nextStates: readonly VectorSink[];
}

/** Writes the chunks in `range` of the next model, one at a time; `updates` are those of the entries, then the root's. */
export function makeNext(
  { combination, server }: ModelStep,
  updates: readonly UpdateSource[],
  { model, states, next, nextStates }: Vectors,
  range: ChunkRange = everyChunk(model.length),
): void {
  const chunk = new Float64Array(CHUNK);
  const stateChunks = Array.from({ length: stateCount(server) }, () => new Float64Array(CHUNK));
  combineBy(
    combination,
    updates,
    model.length,
    range,
  )((change, size, index) => {
    for (const [at, state] of stateChunks.entries()) states[at]!.load(index, state);
    applyStep(server, change, stateChunks, size);
    for (const [at, state] of stateChunks.entries()) nextStates[at]!.store(index, state, size);
    model.load(index, chunk);
    for (let i = 0; i < size; i++) chunk[i] = saturate(chunk[i]! + change[i]!);
    next.store(index, chunk, size);
  });
}

/**
 * Which members a plan takes. Without an accuracy gate all groups; with one, each group for which `accuracyOf` the model
 * made with it is not lower than before it. `before` is the accuracy of the round's model.
 */
export async function chooseGroups(
  { rules, plan }: Decision,
  before: number,
  accuracyOf: (taken: readonly number[]) => number | Promise<number>,
): Promise<number[]> {
  if (!rules.strategy.accuracyGate) return plan.groups.flat().toSorted((a, b) => a - b);
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
