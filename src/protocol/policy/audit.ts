import { z } from "zod";
import type { Job } from "../job/job.ts";

/** How a requester has results checked (`audit` in config.yaml). */
export const auditPolicySchema = z.strictObject({
  validate: z
    .enum(["always", "earned"])
    .default("always")
    .describe(
      "`always`: every job is validated as its job.yaml asks; `earned`: less often with a longer record of the provider",
    ),
  after: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe(
      "Consecutive validated jobs of one provider after which some of its jobs go without validators",
    ),
  floor: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("Least probability of a validation, so that cheating never becomes safe"),
  check: z
    .enum(["open", "evaluate"])
    .default("evaluate")
    .describe("A result that no validator saw is opened only, or also evaluated in your own sandbox"),
});
export type AuditPolicy = z.infer<typeof auditPolicySchema>;

/** The decision whether a job is validated, as the journal keeps it. */
export interface Audit {
  /** Consecutive validated jobs of this provider with this requester. */
  readonly streak: number;
  readonly probability: number;
  /** Uniform in [0, 1): the job is validated when it is below the probability. */
  readonly chance: number;
  readonly validated: boolean;
}

/**
 * Adaptive replication as in BOINC (sched/sched_send.cpp): after n >= `after` consecutive validated jobs the next one is
 * validated with probability 1/n, but at least the floor. `jobs` are those of one requester with one provider, in any
 * order.
 */
export function decideAudit(jobs: readonly Job[], policy: AuditPolicy, chance: number): Audit {
  const streak = streakOf(jobs);
  const earned = policy.validate === "earned" && streak >= policy.after;
  const probability = earned ? Math.max(policy.floor, 1 / streak) : 1;
  return { streak, probability, chance, validated: chance < probability };
}

/** Number of jobs that validators confirmed and that were paid, since the last one that ended by the provider's fault. */
export function streakOf(jobs: readonly Job[]): number {
  const newestFirst = [...jobs].sort((a, b) => b.postedBlock - a.postedBlock);
  const last = newestFirst.findIndex(isFault);
  return newestFirst.slice(0, last === -1 ? undefined : last).filter(isConfirmed).length;
}

const isConfirmed = ({ state, verdict }: Job): boolean => state === "Settled" && verdict === "pass";

/** Other endings (released, stopped, unmet, cancelled, inconclusive, unvalidated) neither break nor lengthen the record. */
function isFault({ state, verdict, cause }: Job): boolean {
  if (state === "Rejected") return verdict !== "unmet";
  return cause === "runMissed" || cause === "claimMissed" || cause === "rejected" || cause === "hid";
}
