import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { payLeaf, proofOf } from "../../../../protocol/federated/ledger/tree.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { Address } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { transact } from "../../../shared/transact.ts";
import { unlessRefused } from "../unless-refused.ts";
import { leadFiles } from "./files.ts";
import type { ClosedRound } from "./round/books.ts";

/**
 * Takes what of the price comes back to the requester: at once the rounds that were not closed, and after the last
 * dispute window its own part of those that were. The undertaking ends with it; before, it stays open for a later call.
 */
export async function collectPay(
  { market, account, jobsDir }: RoleContext,
  journal: JobJournal,
  job: FederatedJob,
  options: Abortable,
): Promise<"later" | "done"> {
  const over = (await market.now(options)) > job.deadline;
  const rounds = job.closings.length;
  const last = journal.outcome<ClosedRound>(`closing-${rounds}`);
  const own = account.toLowerCase() as Address;
  const place = last?.earned.findIndex(([one]) => one === own) ?? -1;
  if (over && last !== undefined && place >= 0) {
    const leaves = last.earned.map(([one, amount]) => payLeaf(one, amount));
    const payout = { account: own, earned: last.earned[place]![1], proof: proofOf(leaves, place) };
    await unlessRefused(() =>
      transact(
        market,
        journal,
        { kind: "claimPay", federated: job, round: rounds, payouts: [payout] },
        options,
      ),
    );
  }
  const owed = await market.owedFederated(account, job.terms.token, options);
  const name = over ? "withdraw" : "withdraw-rest";
  if (owed > 0n && journal.outcome(name) === undefined)
    await unlessRefused(() =>
      transact(market, journal, { kind: "withdrawFederated", token: job.terms.token }, { ...options, name }),
    );
  if (!over && place >= 0) return "later";
  await removeWorkFiles(jobFolder(jobsDir, "federated-requester", job.id).dir);
  journal.finish(rounds > 0 ? "done" : "failed");
  return "done";
}

/** What only the rounds needed; the result, and the model of each round, stay. */
async function removeWorkFiles(dir: string): Promise<void> {
  const { input, rounds } = leadFiles(dir);
  await rm(input, { recursive: true, force: true });
  for (const folder of [dir, rounds]) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((one) => /\.parcel|^(tried|update-|root-)/.test(one)))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}
