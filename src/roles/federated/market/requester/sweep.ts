import type { Abortable } from "../../../../async/abort.ts";
import { canSweep } from "../../../../protocol/federated/market/exits.ts";
import type { RoleContext } from "../../../context.ts";
import { transact } from "../../../shared/transact.ts";
import { unlessRefused } from "../unless-refused.ts";

/**
 * Has the escrow owe this account what no one has claimed of its federated jobs, half a year after each ended. Resolves
 * with how many jobs there were.
 */
export async function sweepUnclaimed(
  { market, journal, account }: Pick<RoleContext, "market" | "journal" | "account">,
  options: Abortable,
): Promise<number> {
  const now = await market.now(options);
  const jobs = await market.federatedJobs({ requester: account }, options);
  const due = jobs.filter((job) => canSweep(job, now));
  for (const federated of due) {
    const record = journal.open("account", `sweep-${federated.id}`);
    // Anyone may, and another may have been first; what else is owed does not wait for it.
    await unlessRefused(() => transact(market, record, { kind: "sweepPay", federated }, options));
    record.finish("done");
  }
  return due.length;
}
