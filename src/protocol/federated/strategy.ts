import type { Address } from "../ids.ts";
import type { Products } from "./statistics.ts";

/** What seats measured of one update, in millionths; fixed point, so that all seats compute the same from it. */
export interface Gains {
  /** How much the update lowers the loss on rows of its provider's own part. */
  readonly own: number;
  /** The same on rows of the other parts. */
  readonly others: number;
}

export interface Contributor {
  readonly account: Address;
  /** Rows allotted to it, at least 1; never what it says itself. */
  readonly rows: number;
  readonly gains?: Gains;
}

/** What a strategy decides from. Members are in ascending order of their addresses, products in the same order. */
export interface Facts {
  readonly members: readonly Contributor[];
  readonly products: Products;
  /** What `plan` returned of each member in the round before, by account in lower case. */
  readonly memory: Memory;
}

/** Numbers that a strategy keeps of each member from round to round; whole numbers alone. */
export type Memory = Readonly<Record<string, readonly number[]>>;

/** What becomes of a round's updates. */
export interface AggregatePlan {
  /**
   * Groups of members (indices) to take up one after the other. The first is the aggregate; each later one joins it where
   * the model does not get less accurate, if the strategy has an accuracy gate.
   */
  readonly groups: readonly (readonly number[])[];
  /** Weight of each member, whole, at least 0; the mean is over the weights of the members taken. */
  readonly weights: readonly number[];
  /** The root update's weight in the mean; 0 without. */
  readonly rootWeight: number;
  /** Longest norm in units of 2^-24: longer updates are scaled down to it. Absent: no update is. */
  readonly clip?: bigint;
  /** With `near-median`: of each parameter's values, how many are averaged. */
  readonly kept?: number;
  readonly memory: Memory;
  /** Members that the strategy would exclude for good; a replay decides (docs/federated.md). */
  readonly suspects: readonly number[];
}

/** Parameters of a strategy, as numbers in the job file; whole numbers, thousandths where they are fractions. */
export type Settings = Readonly<Record<string, number>>;

/** How the server moves by the combined change, in thousandths (`tau`: millionths). */
export interface ServerStep {
  readonly kind: "plain" | "momentum" | "adam" | "nesterov";
  readonly lr: number;
  readonly momentum: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly tau: number;
}

export interface Strategy {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  /** What it needs besides the updates. */
  readonly needs: readonly ("pairs" | "root" | "gains")[];
  /** True: updates are changes of what the model says of public rows, not of its weights. */
  readonly labels?: boolean;
  /** Settings with their defaults. */
  readonly settings: Settings;
  /** How values are combined: a weighted mean, or coordinate by coordinate. */
  readonly combine: "mean" | "median" | "trimmed-mean" | "near-median";
  /** The server's step with the combined change, where the job file does not say. */
  readonly server: ServerStep["kind"];
  /** True: groups, and the aggregate as a whole, are taken only if they do not lower the accuracy on the root rows. */
  readonly accuracyGate: boolean;
  plan(facts: Facts, settings: Settings): AggregatePlan;
}
