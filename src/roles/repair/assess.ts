import type { JobJournal, JobRole } from "../../ports/journal.ts";
import { type Address, sameAddress } from "../../protocol/ids.ts";
import { type Job, seatOf } from "../../protocol/job/job.ts";
import { isFinal } from "../../protocol/job/state.ts";

/**
 * What a role can still do for a job: continue (`kept`), begin again with what the chain has (`again`), or only wait
 * for its end, because the journal held the one copy of its keys (`lost`).
 */
export type Standing = "kept" | "again" | "lost";

/** The roles of `account` in a job that need the journal: what they must know is not on the chain. */
export function rolesAtStake(job: Job, account: Address): JobRole[] {
  if (isFinal(job.state)) return [];
  const roles: JobRole[] = [];
  if (sameAddress(job.terms.requester, account)) roles.push("requester");
  // The provider of a posted job has decided nothing yet, nor has a validator that has not committed.
  if (sameAddress(job.terms.provider, account) && job.state !== "Posted") roles.push("provider");
  const seat = seatOf(job, account);
  if (seat?.commitment !== undefined && seat.measurement === undefined && !seat.abstained)
    roles.push("validator");
  return roles;
}

/** What `role` can still do, by what its journal holds of the job; the journal may be empty. */
export function assess(job: Job, role: JobRole, record: JobJournal): Standing {
  const has = (name: string) => record.outcome(name) !== undefined;
  if (role === "requester") return record.intent("draft") !== undefined ? "kept" : "lost";
  if (role === "validator") return has("measurement") && has("locator") ? "kept" : "lost";
  if (job.state === "Accepted") return record.intent("accept") === undefined ? "again" : "kept";
  return has("pack") && has("locator") && has("bundle") ? "kept" : "lost";
}
