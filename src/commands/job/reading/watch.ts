import { setTimeout as delay } from "node:timers/promises";
import { IchainError } from "../../../errors/error.ts";
import { type JobId, shortId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { neutraliseLine } from "../../../protocol/neutralise.ts";
import { isGoingOn, linksOf } from "../../../roles/job/requester/successors/go-on.ts";
import { showCampaign } from "../../data/reading/show.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { showReports } from "../../steps/daemons.ts";
import { withReader } from "../../steps/reader.ts";
import { fromRecords, readLinks } from "../../steps/records.ts";
import { readTokens } from "../../steps/tokens.ts";
import { due, isFailedRun, jobData } from "../../steps/view.ts";
import { watchFederated } from "../federated/watch.ts";
import { subjectOf } from "./subject.ts";

const POLL_MS = 1_000;

/**
 * Prints a job at every change, one line each, until it is final, and then those that follow in its place; beside it
 * what the daemons of this home report of it. Ends with
 * `JOB_NOT_SETTLED` (class `failed`) when the money went back instead. A data campaign is shown whole at every change.
 */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async (view) => {
    const { market, account } = view;
    const subject = await subjectOf(market, id, { signal });
    if (subject.kind === "federated") return await watchFederated(context, view, subject.id);
    if (subject.kind === "campaign") return await showCampaign(context, view, subject.id, { follow: true });
    let last: Job | undefined;
    await using _reports = showReports(context, (id) => id !== undefined && id === last?.id);
    const follow = async function* () {
      let next: JobId | undefined = subject.id;
      for (; next !== undefined; next = last && (await successor(context, last))) {
        for await (const job of market.follow(next, { signal })) yield job;
      }
    };
    for await (const job of follow()) {
      const now = await market.now({ signal });
      const tokens = await readTokens(context, market, [job.terms.token], { signal });
      const wait = job.deadline === undefined ? "" : `, due ${due(job, now)}`;
      const failed = isFailedRun(job) ? ", the run failed" : "";
      const verdict = job.verdict === "none" ? "" : `, verdict ${job.verdict}${failed}`;
      const links = (await readLinks(context, [job.id]))(job.id);
      ui.print(
        jobData(job, account, tokens, links),
        () => `${shortId(job.id)} ${job.state}${verdict}${wait}`,
      );
      last = job;
    }
    if (last && last.state !== "Settled") throw notSettled(last);
  });
}

/** The job in the place of one that is over; waits for it while it is being posted here. */
async function successor(context: CommandContext, job: Job): Promise<JobId | undefined> {
  for (;;) {
    const found = await fromRecords(context, (journal) => ({
      next: linksOf(journal, job.id).next,
      isComing: isGoingOn(journal, job),
    }));
    if (found?.next !== undefined || !found?.isComing) return found?.next;
    await delay(POLL_MS, undefined, { signal: context.signal });
  }
}

function notSettled(job: Job): IchainError {
  const why = job.reason === undefined ? "" : ` (${neutraliseLine(job.reason)})`;
  return new IchainError("JOB_NOT_SETTLED", `The job ended as ${job.state}${why}.`, {
    hint: `"ichain why ${shortId(job.id)}" tells what happened; the money went back by the rule.`,
    details: { jobId: job.id, state: job.state, verdict: job.verdict },
  });
}
