/** States of a job: the same names, in the same order, as `JobEscrow.State`. */
export const jobStates = [
  "None",
  "Posted",
  "Accepted",
  "Submitted",
  "Claimed",
  "Validating",
  "Validated",
  "Rejected",
  "Inconclusive",
  "Settled",
  "Refunded",
  "Cancelled",
] as const;

export type JobState = (typeof jobStates)[number];

const final: ReadonlySet<JobState> = new Set(["Settled", "Refunded", "Cancelled"]);

/** True once no call can move the job's money again. */
export function isFinal(state: JobState): boolean {
  return final.has(state);
}

/** How a validator measures, in the order of `JobEscrow.Mode`. */
export const modes = ["evaluate", "replicate", "digest", "exam"] as const;
export type Mode = (typeof modes)[number];

/** The order is that of `IJob.Verdict`. */
export const verdicts = ["none", "pass", "fail", "inconclusive", "unmet"] as const;
export type Verdict = (typeof verdicts)[number];
