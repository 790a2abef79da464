import { type JobId, shortId } from "../../../protocol/ids.ts";
import type { WorkerContext } from "../../../roles/context.ts";
import { collectPay } from "../../../roles/federated/market/requester/collect.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { leadAndTell } from "./submit.ts";

/** Carries on a federated job that this home leads: to its end, or to the last of its price. */
export async function resumeFederated(
  context: CommandContext,
  role: WorkerContext,
  id: JobId,
): Promise<void> {
  const { ui, signal } = context;
  const journal = role.journal.open("federated-requester", id);
  if (journal.outcome("told") === undefined) return void (await leadAndTell(context, role, id, {}));
  const job = await role.market.federatedJob(id, { signal });
  const collected = await collectPay(role, journal, job, { signal });
  const from = new Date(job.deadline * 1000).toISOString();
  ui.print({ jobId: id, state: job.state, collected: collected === "done", from: job.deadline }, () =>
    collected === "done"
      ? `Job ${shortId(id)}: what was left of its price is taken.`
      : `Job ${shortId(id)}: what is left of its price can be taken after ${from}.`,
  );
}
