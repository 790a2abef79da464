import { distanceGate } from "./rules/distance-gate.ts";
import { halfFedAvg } from "./rules/half-fedavg.ts";
import { reputation005 } from "./rules/reputation-005.ts";
import type { AveragingRule } from "./rules/rule.ts";

/**
 * The averaging rules that come with ichain, by name; one file each, the recommended first. A third party's is loaded by
 * its path (`roles/gossip/load-rule.ts`).
 */
const averagingRules = [distanceGate, halfFedAvg, reputation005] as const satisfies readonly AveragingRule[];

export const averagingRuleNames: readonly string[] = averagingRules.map(({ name }) => name);

/** Undefined for a name that is none of ours: it may be the path of a third party's. */
export function averagingRuleOf(name: string): AveragingRule | undefined {
  return averagingRules.find((rule) => rule.name === name);
}

/** Names and summaries, for people. */
export function describeAveragingRules(): string {
  return averagingRules.map(({ name, summary }) => `${name} (${summary})`).join("; ");
}
