import type { JobJournal } from "../../ports/journal.ts";
import { type Address, sameAddress } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import { isFinal } from "../../protocol/job/state.ts";

export type JobRole = "requester" | "provider" | "validator";

/**
 * What a role can still do of a job: go on (`kept`), begin again with what the chain tells (`again`), or
 * no more than wait for its end, since keys that were nowhere else are gone (`lost`).
 */
export type Standing = "kept" | "again" | "lost";

/** The roles that `account` has in a job and that it must know something for which the chain does not tell. */
export function rolesAtStake(job: Job, account: Address): JobRole[] {
  if (isFinal(job.state)) return [];
  const roles: JobRole[] = [];
  if (sameAddress(job.terms.requester, account)) roles.push("requester");
  // A posted job is new to its provider, and a seat without a commitment to its validator.
  if (sameAddress(job.terms.provider, account) && job.state !== "Posted") roles.push("provider");
  const seat = job.validations.find(({ validator }) => sameAddress(validator, account));
  if (seat?.commitment !== undefined && seat.measurement === undefined && !seat.abstained)
    roles.push("validator");
  return roles;
}

/** `record` may be empty. */
export function assess(job: Job, role: JobRole, record: JobJournal): Standing {
  const has = (name: string) => record.outcome(name) !== undefined;
  if (role === "requester") return has("draft") ? "kept" : "lost";
  if (role === "validator") return has("measurement") && has("locator") ? "kept" : "lost";
  if (job.state === "Accepted") return record.intent("accept") === undefined ? "again" : "kept";
  return has("pack") && has("locator") && has("bundle") ? "kept" : "lost";
}
