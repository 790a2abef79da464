import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { payLeaf, proofOf } from "../../../../protocol/federated/ledger/tree.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { Address } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import { transact } from "../../../shared/transact.ts";
import { unlessRefused } from "../unless-refused.ts";
import type { WorkedOut } from "./round/work-out.ts";

/** Takes this seat's fees once no dispute can change them; resolves with the sum, or with undefined while it is too early. */
export async function takeFee(
  { market, account }: WorkerContext,
  journal: JobJournal,
  job: FederatedJob,
  options: Abortable,
): Promise<bigint | undefined> {
  if ((await market.now(options)) <= job.deadline) return undefined;
  const round = job.closings.length;
  const earned = journal.outcome<WorkedOut>(`adopted-${round}`)?.closed.earned ?? [];
  const place = earned.findIndex(([one]) => one === (account.toLowerCase() as Address));
  if (place >= 0) {
    const leaves = earned.map(([one, amount]) => payLeaf(one, amount));
    const payouts = [{ account, earned: earned[place]![1], proof: proofOf(leaves, place) }];
    const call = { kind: "claimPay", federated: job, round, payouts } as const;
    await unlessRefused(() => transact(market, journal, call, options));
  }
  await unlessRefused(() => transact(market, journal, { kind: "releaseStakes", federated: job }, options));
  const { token } = job.terms;
  const owed = await market.owedFederated(account, token, options);
  if (owed > 0n)
    await unlessRefused(() => transact(market, journal, { kind: "withdrawFederated", token }, options));
  return owed;
}
