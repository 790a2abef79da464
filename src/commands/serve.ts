import { openServer } from "../compose.ts";
import { runDaemon } from "../roles/daemon/daemon.ts";
import { serveDuty } from "../roles/job/requester/serve.ts";
import type { CommandContext } from "./framework/declaration.ts";

/** Leaves this machine acting for the requester of every job that was submitted from this home. */
export async function run(context: CommandContext): Promise<void> {
  const { ui, signal } = context;
  await using role = await openServer(context);
  const jobs = role.journal.undertakings({ role: "requester", unfinished: true }).length;
  ui.print(
    { event: "serving", account: role.account, jobs },
    () => `Acting for the jobs of ${role.account}, ${jobs} of them unfinished. Ctrl-C stops.`,
  );
  await runDaemon(role, serveDuty(role), { signal });
}
