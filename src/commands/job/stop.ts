import { shortId } from "../../protocol/ids.ts";
import { stopJob } from "../../roles/job/requester/stop.ts";
import { coin } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withJob } from "../steps/role.ts";

/** Ends the run of a job that its provider has accepted. */
export async function run(context: CommandContext, args: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await withJob(context, args.id, async (role, job) => {
    const { state, paid = 0n } = await stopJob(role, job, { signal });
    ui.print({ jobId: job.id, state, paid }, () => {
      const left = coin(job.terms.price - paid);
      return `Job ${shortId(job.id)} is stopped: its provider gets ${coin(paid)} for the time used, you get ${left} back.`;
    });
  });
}
