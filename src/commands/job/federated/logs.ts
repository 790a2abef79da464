import { IchainError } from "../../../errors/error.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import { type JobId, shortId } from "../../../protocol/ids.ts";
import { roundLogs } from "../../../roles/federated/market/round-logs.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import type { MarketView } from "../../steps/reader.ts";
import { fromRecords } from "../../steps/records.ts";
import { federatedRoleIn } from "./view.ts";

/**
 * Prints what the runs of a federated job printed on this machine: a provider's trainings, its requester's measuring; with
 * `follow` until the job has ended.
 * @throws LOG_NOT_HERE
 */
export async function printFederatedLogs(
  context: CommandContext,
  { market, account }: MarketView,
  id: JobId,
  { follow }: { readonly follow: boolean },
): Promise<void> {
  const { ui, signal } = context;
  let shown = 0;
  const print = async (job: FederatedJob) => {
    const role = federatedRoleIn(job, account);
    if (role !== "requester" && role !== "provider") throw notHere(id);
    const logs = await fromRecords(context, (journal) =>
      journal.find(`federated-${role}`, id) === undefined
        ? undefined
        : roundLogs(journal.open(`federated-${role}`, id), job.closings.length + 1),
    );
    if (logs === undefined) throw notHere(id);
    for (const { what, text } of logs.slice(shown))
      ui.stream({ jobId: id, what, text }, `[${what}]\n${text}${/(^|\n)$/.test(text) ? "" : "\n"}`);
    shown = logs.length;
    return role;
  };
  let role = await print(await market.federatedJob(id, { signal }));
  if (follow)
    for await (const job of market.followFederated(id, { signal })) {
      role = await print(job);
      if (job.state === "Ended") break;
    }
  const elsewhere =
    role === "requester"
      ? "What trainings print stays with the providers"
      : "What measures the updates prints at the requester's, and other providers' trainings at theirs";
  ui.reporter.emit({ kind: "info", text: `${elsewhere}. Of each run the last 4,096 characters are kept.` });
}

function notHere(id: JobId): IchainError {
  return new IchainError("LOG_NOT_HERE", `This account ran nothing of job ${shortId(id)} here.`);
}
