import { shortId } from "../../protocol/ids.ts";
import { stopJob } from "../../roles/job/requester/stop.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { daemonName, jobsText, tellDaemons } from "../steps/daemons.ts";
import { withRole } from "../steps/role.ts";
import { readTokens } from "../steps/tokens.ts";
import { stopFederated } from "./federated/stop.ts";
import { federatedIdOf } from "./federated/view.ts";

/** Ends the run of a job that its provider has accepted, or without an id the daemons of this home. */
export async function run(context: CommandContext, args: { id: string | undefined }): Promise<void> {
  if (args.id === undefined) await stopDaemons(context);
  else await stopRun(context, args.id);
}

async function stopDaemons(context: CommandContext): Promise<void> {
  const daemons = await tellDaemons(context, "stop", { wait: true });
  context.ui.print({ daemons }, () =>
    daemons
      .map(({ kind, unfinished }) => {
        const left = `; ${jobsText(unfinished)} unfinished: start it again before a window ends`;
        return `${daemonName(kind)} has stopped${unfinished === 0 ? "" : left}.`;
      })
      .join("\n"),
  );
}

async function stopRun(context: CommandContext, id: string): Promise<void> {
  const { ui, signal } = context;
  await withRole(context, async (role) => {
    const federated = await federatedIdOf(role.market, id, signal);
    if (federated !== undefined) return await stopFederated(context, role, federated);
    const job = await role.market.job(await role.market.resolveJob(id, { signal }), { signal });
    const { state, paid = 0n } = await stopJob(role, job, { signal });
    const { price, token: address } = job.terms;
    const token = (await readTokens(context, role.market, [address], { signal }))(address);
    ui.print({ jobId: job.id, state, paid, token }, () => {
      const left = money(price - paid, token);
      return `Job ${shortId(job.id)} is stopped: its provider gets ${money(paid, token)} for the time used, you get ${left} back.`;
    });
  });
}
