import { shortId } from "../../protocol/ids.ts";
import { cancel } from "../../roles/job/requester/posting/cancel.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Takes back a job that nobody has accepted. */
export async function run(context: CommandContext, args: { id: string }): Promise<void> {
  const { ui, signal } = context;
  const { openRole } = await import("../../compose.ts");
  await using role = await openRole(context);
  const jobId = await role.market.resolveJob(args.id, { signal });
  await cancel(role, jobId, { signal });
  ui.print({ jobId, state: "Cancelled" }, () => `Job ${shortId(jobId)} is cancelled and its money is back.`);
}
