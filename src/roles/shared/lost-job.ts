import type { Abortable } from "../../async/abort.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { Exit } from "../../protocol/job/exits.ts";
import { exitOf } from "../../protocol/job/exits.ts";
import type { Job } from "../../protocol/job/job.ts";
import { isFinal } from "../../protocol/job/state.ts";
import type { RoleContext } from "../context.ts";
import { takeExit } from "./take-exit.ts";
import { withdrawOwed } from "./withdraw.ts";

const LOST = "lost";

/** Records that the keys to a job were lost with a journal. */
export async function markLost(journal: JobJournal, { state }: Job): Promise<void> {
  await journal.step(LOST, { prepare: () => ({ state }), act: (known) => known });
}

export function isLost(journal: JobJournal): boolean {
  return journal.outcome(LOST) !== undefined;
}

/** The exits that a party without its keys gains from; any other call would only bring its loss forward. */
const exits: Readonly<Record<string, readonly Exit[]>> = {
  requester: ["cancel", "expire", "settle"],
  provider: ["settle"],
  validator: ["settle"],
};

/** Waits for the end of a job whose keys are lost, and withdraws what the escrow owes then. */
export async function endLostJob(
  context: RoleContext,
  journal: JobJournal,
  jobId: JobId,
  options: Abortable,
): Promise<Job> {
  let last = await context.market.job(jobId, options);
  for await (const job of context.market.follow(jobId, options)) {
    last = job;
    const exit = exitOf(job, await context.market.now(options));
    if (exit && exits[journal.role]?.includes(exit)) await takeExit(context, journal, job, options);
  }
  if (isFinal(last.state)) await withdrawOwed(context, journal, last, options);
  journal.note(`ended ${last.state}; its keys had been lost`);
  journal.finish("failed");
  return last;
}
