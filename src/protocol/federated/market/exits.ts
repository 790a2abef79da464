import type { Address } from "../../ids.ts";
import { type Dispute, type FederatedJob, type FederatedMember, isStruck, unclaimedOf } from "./job.ts";

/** A call that any account may make to move on a federated job; `about`: the appeal that it is for, else a closing's. */
export type FederatedExit =
  | { readonly kind: "expire" | "release" }
  | { readonly kind: "empanel" | "conclude"; readonly about: Address | undefined };

/** Blocks whose hashes the chain knows. */
const HASHES = 256;

/** What anybody can do for a job at `now` (the chain's time, Unix seconds) and `block` (the newest one's number). */
export function federatedExitsOf(
  job: FederatedJob,
  { now, block }: { readonly now: number; readonly block: number },
): readonly FederatedExit[] {
  const { state, deadline, drawBlock } = job;
  const disputes = job.disputes.flatMap((dispute): FederatedExit[] => {
    const { about } = dispute;
    if (dispute.drawBlock !== undefined) return block > dispute.drawBlock ? [{ kind: "empanel", about }] : [];
    return isRipe(job, dispute, now) ? [{ kind: "conclude", about }] : [];
  });
  const lost = state === "Drawing" && drawBlock !== undefined && block > drawBlock + HASHES;
  const open = state === "Enlisting" || state === "Drawing" || state === "Running";
  if (open && (now > deadline || lost)) return [...disputes, { kind: "expire" }];
  const released =
    state === "Ended" && now > deadline && job.members.some((one) => isReleasable(job, one, now));
  return released ? [...disputes, { kind: "release" }] : disputes;
}

/** Seconds after the end within which pay is claimed (`FederatedStorage.CLAIM_WINDOW`). */
export const CLAIM_WINDOW = 180 * 86_400;

/** The seconds after which something becomes possible in a job without an event, Unix time. */
export function federatedInstantsOf(job: FederatedJob): readonly number[] {
  const { state, deadline, terms, members, disputes } = job;
  const appeals = members.flatMap(({ strike }) => (strike === undefined ? [] : [strike.appealBy]));
  const panels = disputes.flatMap((dispute) => [dispute.deadline, revealBy(job, dispute)]);
  if (state === "Enlisting") return [terms.enlistBy, deadline];
  return [deadline, ...appeals, ...panels, ...(state === "Ended" ? [deadline + CLAIM_WINDOW] : [])];
}

/** True once every stake is free and nothing is left to claim or to sweep. */
export function isFederatedFinal(job: FederatedJob): boolean {
  const free = job.members.every(({ standing }) => standing === "released" || standing === "slashed");
  return job.state === "Ended" && free && unclaimedOf(job) === 0n;
}

/** Whether what no one claimed can go back to the requester at `now`, Unix seconds. */
export function canSweep(job: FederatedJob, now: number): boolean {
  return job.state === "Ended" && now > job.deadline + CLAIM_WINDOW && unclaimedOf(job) > 0n;
}

/** The last second in which findings of a dispute can be revealed. */
export function revealBy({ terms }: FederatedJob, { deadline, committed, panel }: Dispute): number {
  return deadline + (committed.length === panel.length ? 0 : terms.disputeWindow);
}

/** Whether a dispute's panel has revealed, or can no more. */
export function isRipe(job: FederatedJob, dispute: Dispute, now: number): boolean {
  const { panel, committed, revealed, deadline } = dispute;
  if (revealed.length === panel.length) return true;
  return now > (revealed.length < committed.length ? revealBy(job, dispute) : deadline);
}

function isReleasable(
  { members, terms }: FederatedJob,
  { standing, strike }: FederatedMember,
  now: number,
): boolean {
  if (standing === "struck") return strike !== undefined && now > strike.appealBy;
  // Seats answer for strikes; what others have of a cheat's stake is known once none is open.
  if (standing === "seated" || (standing === "enlisted" && terms.refunds)) return !members.some(isStruck);
  return standing === "enlisted" || standing === "condemned";
}
