import type { Job } from "./job.ts";

/** A call that anybody may make to move on a job whose present step was missed. */
export type Exit = "cancel" | "expire" | "settle" | "dismiss" | "conclude";

/**
 * How to leave the present state when the party whose turn it is stays silent (design, invariant 2);
 * undefined while there is nothing to be done but wait. `now` is the chain's time, Unix seconds.
 */
export function exitOf(job: Job, now: number): Exit | undefined {
  const last = lastInstantOf(job);
  const overdue = last !== undefined && now > last;
  switch (job.state) {
    case "Validating":
      if (!overdue) return undefined;
      return job.committing && !job.drawing ? "dismiss" : "conclude";
    case "Posted":
      return overdue ? "cancel" : undefined;
    case "Validated":
      // After a challenge the key is known and nothing is left to wait for.
      if (job.challenged) return "settle";
      return overdue ? "expire" : undefined;
    case "Submitted":
    case "Accepted":
      return overdue ? "expire" : undefined;
    case "Rejected":
    case "Inconclusive":
      return overdue || !isAppealable(job) ? "settle" : undefined;
    case "Claimed":
      return overdue ? "settle" : undefined;
    default:
      return undefined;
  }
}

/**
 * Whether the provider may appeal: once, from a rejection on measurements (not on one that it hid), or from the
 * lack of a verdict, unless a challenge lacked it: then the claim stands.
 */
export function isAppealable({ state, appealed, disclosed, round }: Job): boolean {
  if (appealed) return false;
  if (state === "Rejected") return disclosed;
  return state === "Inconclusive" && round !== "challenge";
}

/** Whose seed the draw under way waits for, or who may begin one; undefined when it is nobody's turn. */
export function drawTurnOf(job: Job, now: number): "requester" | "provider" | undefined {
  const { state, deadline, terms } = job;
  const last = lastInstantOf(job);
  if (deadline === undefined || last === undefined || now > last) return undefined;
  if (state === "Submitted") return terms.validators > 0 && now > deadline ? "provider" : undefined;
  if (state !== "Validating" || !job.drawing) return undefined;
  return job.seeded || now > deadline ? "provider" : "requester";
}

/** Instants after which the job can be moved on without any event: the deadline, and what may follow it. */
export function instantsOf(job: Job): readonly number[] {
  const instants = [job.deadline, lastInstantOf(job)].filter((instant) => instant !== undefined);
  return [...new Set(instants)];
}

/**
 * The last second of the present step: the deadline, or a window later where another party has its turn then.
 * A requester that appoints nobody leaves the draw to the provider; one that keeps its seed back, likewise; and a
 * provider may answer a validator that revealed in the last second.
 */
export function lastInstantOf(job: Job): number | undefined {
  const { state, deadline, terms } = job;
  if (deadline === undefined) return undefined;
  if (state === "Submitted" && terms.validators > 0) return deadline + terms.windows.claim;
  if (state !== "Validating") return deadline;
  const unanswered = !job.committing && !job.disclosed && hasRevealed(job);
  return (job.drawing && !job.seeded) || unanswered ? deadline + terms.windows.reveal : deadline;
}

/** Whether a validator of the present round has revealed. */
export function hasRevealed({ validations, round }: Job): boolean {
  return validations.some((seat) => seat.round === round && seat.measurement !== undefined);
}
