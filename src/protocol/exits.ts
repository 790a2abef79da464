import type { Job } from "./job.ts";

/** A call that anybody may make to move on a job whose present step was missed. */
export type Exit = "cancel" | "expire" | "settle" | "draw" | "dismiss" | "conclude";

/**
 * How to leave the present state when whoever's turn it is stays silent (design, invariant 2);
 * undefined while there is nothing to be done but wait. `now` is the chain's time, Unix seconds.
 */
export function exitOf(job: Job, now: number): Exit | undefined {
  const overdue = job.deadline !== undefined && now > job.deadline;
  switch (job.state) {
    case "Inconclusive":
      return "settle";
    case "Validating":
      if (job.drawing) return "draw";
      if (!overdue) return undefined;
      return job.committing ? "dismiss" : "conclude";
    case "Posted":
      return overdue ? "cancel" : undefined;
    case "Submitted":
      if (!overdue) return undefined;
      return job.terms.validators === 0 ? "expire" : "draw";
    case "Validated":
      // After a challenge the key is known and nothing is left to wait for.
      if (job.challenged) return "settle";
      return overdue ? "expire" : undefined;
    case "Accepted":
      return overdue ? "expire" : undefined;
    case "Claimed":
    case "Rejected":
      return overdue ? "settle" : undefined;
    default:
      return undefined;
  }
}
