import type { Abortable } from "../../async/abort.ts";
import { isIchainError } from "../../errors/error.ts";
import type { JobJournal } from "../../ports/journal.ts";
import { exitOf } from "../../protocol/job/exits.ts";
import type { Job } from "../../protocol/job/job.ts";
import type { RoleContext } from "../context.ts";
import { transact } from "./transact.ts";

/**
 * Makes the call that moves on a job whose present step was missed, if its time has come; resolves with false
 * otherwise. Any account may make it: a refusal means that another was faster, and is no failure.
 */
export async function takeExit(
  { market }: Pick<RoleContext, "market">,
  journal: JobJournal,
  job: Job,
  options: Abortable,
): Promise<boolean> {
  const exit = exitOf(job, await market.now(options));
  if (!exit) return false;
  const name = `${exit}-${job.state}-${job.deadline ?? 0}-${job.validations.length}`;
  try {
    await transact(market, journal, { kind: exit, job }, { ...options, name });
  } catch (error) {
    if (!isIchainError(error) || error.class !== "refused") throw error;
  }
  return true;
}
