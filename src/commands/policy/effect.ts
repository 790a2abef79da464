import { existsSync } from "node:fs";
import { loadPolicy } from "../../daemon/work.ts";
import type { Job } from "../../protocol/job/job.ts";
import { refuseTerms } from "../../protocol/policy/policy.ts";
import { chainFacts } from "../../roles/shared/chain-facts.ts";
import { readTenders } from "../../roles/tokens.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";
import { policyPath } from "./propose.ts";

/** How long before its time to accept ends a job is looked at as if it were new, seconds. */
const EARLY = 600;

/** What a policy would have made of the market's newest jobs, by their terms. */
export interface PolicyEffect {
  /** Undefined where there is none: careful defaults hold. */
  readonly file: string | undefined;
  readonly jobs: number;
  readonly takes: number;
  readonly because: readonly {
    readonly code: string;
    readonly reason: string;
    readonly count: number;
    readonly fix: { readonly field: string; readonly value: string } | undefined;
  }[];
}

/**
 * Tries the home's policy on jobs that others posted. What a job asks of the machine is sealed to its provider, and counts
 * for nothing here.
 * @throws POLICY_UNREADABLE, POLICY_INVALID
 */
export async function policyEffect(context: CommandContext, jobs: readonly Job[]): Promise<PolicyEffect> {
  const { config, signal } = context;
  const path = policyPath(config);
  const file = existsSync(path) ? path : undefined;
  const written = await loadPolicy(file);
  return await withReader(context, async ({ market }) => {
    const [chain, policy] = [
      await chainFacts(market, { signal }),
      await readTenders(market, written, config.network?.tokens ?? {}, { signal }),
    ];
    const refusals = jobs.map(({ terms }) =>
      refuseTerms(policy, terms, "provider", terms.acceptBy - EARLY, chain),
    );
    const codes = new Map<string, PolicyEffect["because"][number]>();
    for (const refusal of refusals) {
      if (refusal === undefined) continue;
      const { code, reason, fix } = refusal;
      codes.set(code, { code, reason, fix, count: (codes.get(code)?.count ?? 0) + 1 });
    }
    return {
      file,
      jobs: jobs.length,
      takes: refusals.filter((one) => one === undefined).length,
      because: [...codes.values()].toSorted((a, b) => b.count - a.count),
    };
  });
}
