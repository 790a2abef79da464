import type { Misbehaviour } from "../../../src/devnet/misbehave.ts";
import { drawTurnOf, exitOf, hasRevealed } from "../../../src/protocol/job/exits.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { isFinal } from "../../../src/protocol/job/state.ts";

/** Who has to act next; "anyone" where nothing but an exit is left, "nobody" once the job is final. */
export type Turn = "requester" | "provider" | "validators" | "anyone" | "nobody";

export function turnOf(job: Job, now: number): Turn {
  if (isFinal(job.state)) return "nobody";
  if (exitOf(job, now) !== undefined) return "anyone";
  switch (job.state) {
    case "Submitted":
      return job.terms.validators === 0 ? "provider" : (drawTurnOf(job, now) ?? "requester");
    case "Claimed":
      return "requester";
    case "Validating":
      if (job.drawing) return drawTurnOf(job, now) ?? "provider";
      return !job.committing && haveAllRevealed(job) ? "provider" : "validators";
    default:
      return "provider";
  }
}

function haveAllRevealed(job: Job): boolean {
  const waiting = job.validations.some(
    ({ round, abstained, measurement }) => round === job.round && !abstained && measurement === undefined,
  );
  return hasRevealed(job) && !waiting;
}

/** What is known of a job's parties beside what the chain shows. */
export interface Known {
  /** How its provider misbehaves; undefined for an honest one. */
  readonly bad: Misbehaviour | undefined;
  /** No process of its requester works on it. */
  readonly away: boolean;
  /** Seconds since the job or the chain's clock last moved. */
  readonly quiet: number;
}

/**
 * `moves`: an honest party is at work, so that time must not be moved. `blocked`: it waits for a party that will not
 * act. `report`: honest validators wait a minute for a report that is kept from them. `orphaned`: nobody is left who
 * would take the exit.
 */
export type Standing = "final" | "moves" | "blocked" | "report" | "orphaned";

/** After which a bad provider that could act is taken not to, and validators to lack a bundle that nobody hosts. */
const QUIET_SECONDS = 20;

export function standingOf(job: Job, now: number, { bad, away, quiet }: Known): Standing {
  const long = quiet > QUIET_SECONDS;
  switch (turnOf(job, now)) {
    case "nobody":
      return "final";
    case "requester":
      return away ? "blocked" : "moves";
    case "anyone":
      // Whoever has accepted nothing has no reason to cancel a job.
      return away && (bad !== undefined || job.state === "Posted") && long ? "orphaned" : "moves";
    case "provider":
      // Nobody hosts the bundle of a requester that is away.
      if (job.state === "Posted" && away) return long ? "blocked" : "moves";
      return bad !== undefined && (long || keepsFrom(bad, job)) ? "blocked" : "moves";
    case "validators":
      if (job.committing) return away && long ? "blocked" : "moves";
      return bad === "no-report" && quiet > 2 ? "report" : "moves";
  }
}

/** Whether this misbehaviour is to leave out the call that is due now. */
function keepsFrom(bad: Misbehaviour, job: Job): boolean {
  switch (bad) {
    case "vanish":
    case "slow":
      return job.state === "Accepted";
    case "no-key":
      return job.state === "Validated" || (job.state === "Submitted" && job.terms.validators === 0);
    case "no-report":
      return job.state === "Validating" && !job.drawing;
    case "no-seed":
      return job.drawing || (job.state === "Submitted" && job.terms.validators > 0);
    default:
      return false;
  }
}
