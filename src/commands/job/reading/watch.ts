import { IchainError } from "../../../errors/error.ts";
import { shortId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { neutraliseLine } from "../../../protocol/neutralise.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { withReader } from "../../steps/reader.ts";
import { readTokens } from "../../steps/tokens.ts";
import { due, isFailedRun, jobData } from "../../steps/view.ts";

/**
 * Prints a job at every change, one line each, until it is final. Ends with `JOB_NOT_SETTLED` (class
 * `failed`) when the money went back instead.
 */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async ({ market, account }) => {
    const jobId = await market.resolveJob(id, { signal });
    let last: Job | undefined;
    for await (const job of market.follow(jobId, { signal })) {
      const now = await market.now({ signal });
      const tokens = await readTokens(context, market, [job.terms.token], { signal });
      const wait = job.deadline === undefined ? "" : `, due ${due(job, now)}`;
      const failed = isFailedRun(job) ? ", the run failed" : "";
      const verdict = job.verdict === "none" ? "" : `, verdict ${job.verdict}${failed}`;
      ui.print(jobData(job, account, tokens), () => `${shortId(job.id)} ${job.state}${verdict}${wait}`);
      last = job;
    }
    if (last && last.state !== "Settled") throw notSettled(last);
  });
}

function notSettled(job: Job): IchainError {
  const why = job.reason === undefined ? "" : ` (${neutraliseLine(job.reason)})`;
  return new IchainError("JOB_NOT_SETTLED", `The job ended as ${job.state}${why}.`, {
    hint: `"ichain why ${shortId(job.id)}" tells what happened; the money went back by the rule.`,
    details: { jobId: job.id, state: job.state, verdict: job.verdict },
  });
}
