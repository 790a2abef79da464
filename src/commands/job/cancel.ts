import { shortId } from "../../protocol/ids.ts";
import { cancel } from "../../roles/job/requester/posting/cancel.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withRole } from "../steps/role.ts";

/** Takes a job back that no provider has accepted. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await withRole(context, async (role) => {
    const jobId = await role.market.resolveJob(id, { signal });
    await cancel(role, jobId, { signal });
    ui.print(
      { jobId, state: "Cancelled" },
      () => `Job ${shortId(jobId)} is cancelled and its money is back.`,
    );
  });
}
