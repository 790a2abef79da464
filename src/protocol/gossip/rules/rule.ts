import { IchainError } from "../../../errors/error.ts";
import type { Address } from "../../ids.ts";

/** A model that a peer received and measured. */
export interface MeasuredModel {
  readonly generator: Address;
  /** Share of right answers on the peer's own rows, from 0 to 1. */
  readonly accuracy: number;
  /** Euclidean distance of its weights from the peer's own. */
  readonly distance: number;
}

/** What an averaging rule decides from. */
export interface AveragingCase {
  /** Share of right answers of the peer's own model on the same rows. */
  readonly own: number;
  /** How many rows measured. */
  readonly rows: number;
  /** In the order in which they came; several may be one generator's. */
  readonly received: readonly MeasuredModel[];
  /** From 0 to 1; 1 for a peer that is met for the first time. It is this peer's alone and never leaves it. */
  reputationOf(account: Address): number;
}

export interface AveragingPlan {
  /** Shares of the next model; together above 0, and scaled to 1. */
  readonly own: number;
  /** In the order of `received`. */
  readonly received: readonly number[];
  /** New reputations, of those that changed. */
  readonly reputations: ReadonlyMap<Address, number>;
}

/**
 * How a peer makes its next model of its own and those that it received, and what it then thinks of their generators. A
 * rule is pure: the same case, the same plan.
 */
export interface AveragingRule {
  readonly name: string;
  readonly summary: string;
  plan(given: AveragingCase): AveragingPlan;
}

/**
 * A rule's plan within its bounds: finite shares of at least 0 that make 1, reputations from 0 to 1.
 * @throws GOSSIP_RULE_INVALID
 */
export function planBy(rule: AveragingRule, given: AveragingCase): AveragingPlan {
  const { own, received, reputations } = rule.plan(given);
  const shares = [own, ...received];
  const sum = shares.reduce((total, share) => total + share, 0);
  const sound = shares.every((share) => share >= 0) && Number.isFinite(sum) && sum > 0;
  const fair = [...reputations.values()].every((value) => value >= 0 && value <= 1);
  if (!sound || !fair || received.length !== given.received.length) {
    throw new IchainError(
      "GOSSIP_RULE_INVALID",
      `The averaging rule ${rule.name} planned shares or reputations out of bounds.`,
    );
  }
  return { own: own / sum, received: received.map((share) => share / sum), reputations };
}
