import type { Decision } from "./aggregate.ts";
import type { Contributor } from "./strategy.ts";

/**
 * What a replay of a provider's training found: it gives the update that was sent, or another. `withheld`: the provider
 * does not show the residual that a replay of its top-k update needs. That proves nothing, and counts nothing.
 */
export const replayFindings = ["clean", "proven", "withheld"] as const;
export type ReplayFinding = (typeof replayFindings)[number];

/** Whether an update of which a replay found this may count. */
export function mayCount(found: ReplayFinding | "none" | undefined): boolean {
  return found !== "proven" && found !== "withheld";
}

/**
 * Share of an update's values that an honest replay may find otherwise: threads and libraries add in other orders. One
 * changed row of a thousand changes more than a tenth of them.
 */
const HONEST_SHARE = 0.001;
/**
 * The same for a panel that judges a strike: half of it, so that no update can be made to lie between what the seats find
 * and what the panel does.
 */
export const CONDEMNED_SHARE = HONEST_SHARE / 2;

/**
 * A clean replay restores a suspect's weight; what may not count leaves the aggregate. By index of the entries. A top-k
 * update is not restored (`restores`): its replay trusts what earlier rounds left, which nobody may have replayed.
 */
export function afterReplays<Member extends Contributor, D extends Decision<Member>>(
  decision: D,
  found: ReadonlyMap<number, ReplayFinding | undefined>,
  restores: boolean,
): D {
  const { plan, entries } = decision;
  const restored = restores ? plan.suspects.filter((at) => found.get(at) === "clean") : [];
  const groups = [[...(plan.groups[0] ?? []), ...restored], ...plan.groups.slice(1)]
    .map((group) => [...new Set(group)].filter((at) => mayCount(found.get(at))).sort((a, b) => a - b))
    .filter((group) => group.length > 0);
  const weights = plan.weights.map((weight, at) => (restored.includes(at) ? entries[at]!.rows : weight));
  return { ...decision, plan: { ...plan, groups, weights } };
}

/** Whether `sent` (decoded values of an update) is what a replay of its training gives, but for a share `most`. */
export function sameTraining(
  sent: ArrayLike<number>,
  replayed: ArrayLike<number>,
  most = HONEST_SHARE,
): boolean {
  let other = Math.abs(sent.length - replayed.length);
  for (let i = 0; i < Math.min(sent.length, replayed.length); i++) if (sent[i] !== replayed[i]) other += 1;
  return other <= most * sent.length;
}
