import { type Address, shortId } from "../../protocol/ids.ts";
import { rate } from "../../roles/job/requester/rate.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Scores the other side of a job that is over. */
export async function run(
  context: CommandContext,
  args: { id: string; score: number },
  options: { validator?: Address },
): Promise<void> {
  const { ui, signal } = context;
  const { openRole } = await import("../../compose.ts");
  await using role = await openRole(context);
  const job = await role.market.job(await role.market.resolveJob(args.id, { signal }), { signal });
  const asProvider = job.terms.provider === role.account;
  const subject = options.validator ?? (asProvider ? job.terms.requester : job.terms.provider);
  await rate(role, { job, subject, score: args.score }, { signal });
  ui.print(
    { jobId: job.id, subject, score: args.score },
    () => `Job ${shortId(job.id)}: ${subject} is rated ${args.score} of 5.`,
  );
}
