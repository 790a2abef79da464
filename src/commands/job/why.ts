import { neutraliseLine } from "../../protocol/neutralise.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";
import { story } from "../steps/story.ts";

/** Explains in plain sentences where a job stands, who must act by when, and what happens then. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async ({ market, account }) => {
    const job = await market.job(await market.resolveJob(id, { signal }), { signal });
    const told = story(job, await market.now({ signal }), account);
    const { state, deadline, reason } = job;
    ui.print({ jobId: job.id, state, deadline, reason, ...told }, () => {
      const lines = [told.stands, told.next, told.otherwise];
      if (reason !== undefined) lines.splice(1, 0, `The reason given: "${neutraliseLine(reason)}".`);
      if (told.role !== undefined) lines.unshift(`You are the ${told.role} of this job.`);
      return lines.join("\n");
    });
  });
}
