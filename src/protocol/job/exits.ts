import type { Job } from "./job.ts";

/** A call that any account may make to move on a job whose present step was missed. */
export type Exit = "cancel" | "expire" | "settle" | "dismiss" | "conclude";

/**
 * The exit from the present state when the party whose turn it is missed its step; undefined while there is time left.
 * `now` is the chain's time, Unix seconds.
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
      // After a challenge the key is public already: no claim follows.
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
 * Whether the provider can appeal: once, from a rejection of a measurement that it revealed, or from a missing verdict.
 * It cannot when a challenge ended without a verdict: the claim stands then.
 */
export function isAppealable({ state, appealed, disclosed, round }: Job): boolean {
  if (appealed) return false;
  if (state === "Rejected") return disclosed;
  return state === "Inconclusive" && round !== "challenge";
}

/** The party whose seed the draw under way waits for, or that may start a draw; undefined when neither is due. */
export function drawTurnOf(job: Job, now: number): "requester" | "provider" | undefined {
  const { state, deadline, terms } = job;
  const last = lastInstantOf(job);
  if (deadline === undefined || last === undefined || now > last) return undefined;
  if (state === "Submitted") return terms.validators > 0 && now > deadline ? "provider" : undefined;
  if (state !== "Validating" || !job.drawing) return undefined;
  return job.seeded || now > deadline ? "provider" : "requester";
}

/** Instants, Unix seconds, after which a call becomes possible without any event: the deadline, and the last instant. */
export function instantsOf(job: Job): readonly number[] {
  const instants = [job.deadline, lastInstantOf(job)].filter((instant) => instant !== undefined);
  return [...new Set(instants)];
}

/**
 * The last second of the present step: the deadline, or a window later where another party may act then. The provider
 * may draw when the requester appointed no validator or withheld its seed, and may disclose after a validator that revealed in
 * the last second.
 */
export function lastInstantOf(job: Job): number | undefined {
  const { state, deadline, terms } = job;
  if (deadline === undefined) return undefined;
  if (state === "Submitted" && terms.validators > 0) return deadline + terms.windows.claim;
  if (state !== "Validating") return deadline;
  const undisclosed = !job.committing && !job.disclosed && hasRevealed(job);
  return (job.drawing && !job.seeded) || undisclosed ? deadline + terms.windows.reveal : deadline;
}

/** Whether a validator of the present round has revealed. */
export function hasRevealed({ validations, round }: Job): boolean {
  return validations.some((seat) => seat.round === round && seat.measurement !== undefined);
}
