import type { Address, Hex } from "../../ids.ts";
import { type AveragingRule, type MeasuredModel, planBy } from "../rules/rule.ts";
import type { Kept } from "./state.ts";

/** Generators that a peer has an opinion of; the one that was judged longest ago gives way. */
const MOST_JUDGED = 4096;

/** A received model, by its digest. */
export interface BufferedModel extends Omit<MeasuredModel, "distance"> {
  readonly model: Hex;
}

/** The peer's own model as it stands at an averaging. */
export interface OwnModel {
  /** On the same rows that measured the others. */
  readonly accuracy: number;
  readonly rows: number;
  /** Euclidean distance of a received model's weights from its own. */
  distanceTo(model: Hex): number;
}

/** Shares of a peer's next model; together 1. */
export interface Averaging {
  readonly own: number;
  readonly received: readonly (BufferedModel & { readonly share: number })[];
}

/** The received models that wait to be averaged, and what the peer thinks of their generators. */
export class ModelBuffer {
  readonly #rule: AveragingRule;
  readonly #size: number;
  readonly #reputations: Map<Address, number>;
  #models: BufferedModel[] = [];

  constructor(rule: AveragingRule, size: number, reputations: readonly (readonly [Address, number])[]) {
    this.#rule = rule;
    this.#size = size;
    this.#reputations = new Map(reputations);
  }

  get reputations(): ReadonlyMap<Address, number> {
    return this.#reputations;
  }

  /** True when there are enough to average. Where no one averages, the oldest give way. */
  add(model: BufferedModel): boolean {
    this.#models.push(model);
    if (this.#models.length > 2 * this.#size) this.#models.shift();
    return this.#models.length >= this.#size;
  }

  /** Digests of the models that are still needed. */
  get waiting(): readonly Hex[] {
    return this.#models.map(({ model }) => model);
  }

  /** @throws GOSSIP_RULE_INVALID */
  average({ accuracy, rows, distanceTo }: OwnModel): {
    readonly averaging: Averaging;
    readonly kept: readonly Kept[];
  } {
    const received = this.#models.map((one) => ({ ...one, distance: distanceTo(one.model) }));
    const reputationOf = (account: Address) => this.#reputations.get(account) ?? 1;
    const plan = planBy(this.#rule, { own: accuracy, rows, received, reputationOf });
    this.#models = [];
    const kept: Kept[] = [];
    for (const [account, value] of plan.reputations) {
      this.#reputations.delete(account);
      this.#reputations.set(account, value);
      kept.push({ kind: "reputation", account, value });
    }
    while (this.#reputations.size > MOST_JUDGED) {
      this.#reputations.delete(this.#reputations.keys().next().value!);
    }
    const shares = received.map((model, i) => ({ ...model, share: plan.received[i]! }));
    return { averaging: { own: plan.own, received: shares }, kept };
  }
}
