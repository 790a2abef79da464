import { type Address, shortId } from "../../protocol/ids.ts";
import { rate } from "../../roles/job/requester/rate.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withJob } from "../steps/role.ts";

/** Scores the other side of a job that is over. */
export async function run(
  context: CommandContext,
  { id, score }: { id: string; score: number },
  options: { validator?: Address },
): Promise<void> {
  const { ui, signal } = context;
  await withJob(context, id, async (role, job) => {
    const asProvider = job.terms.provider === role.account;
    const subject = options.validator ?? (asProvider ? job.terms.requester : job.terms.provider);
    await rate(role, { job, subject, score }, { signal });
    ui.print(
      { jobId: job.id, subject, score },
      () => `Job ${shortId(job.id)}: ${subject} is rated ${score} of 5.`,
    );
  });
}
