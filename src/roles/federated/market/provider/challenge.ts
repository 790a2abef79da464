import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { readAggregation } from "../../../../protocol/federated/ledger/ledger.ts";
import { recordHash } from "../../../../protocol/federated/ledger/record.ts";
import { memberLeaf, treeRoot } from "../../../../protocol/federated/ledger/tree.ts";
import { isUnderpaid, isWorthABond } from "../../../../protocol/federated/market/dispute/grounds.ts";
import { memberOf } from "../../../../protocol/federated/market/fold.ts";
import { challengeBy, type FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { type Address, shortId } from "../../../../protocol/ids.ts";
import type { Policy } from "../../../../protocol/policy/policy.ts";
import type { WorkerContext } from "../../../context.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { challengeRound } from "../dispute/open.ts";
import { unlessRefused } from "../unless-refused.ts";
import type { MadeUpdate } from "./made-update.ts";

/**
 * Compares what the books of a closed round pay this provider, which `keepPay` has seen to be what the chain says, with the
 * figures beside it, and challenges the closing where the policy finds that worth its bond: that of a void round is shared
 * by those that asserted an upload to it.
 */
export async function examineBooks(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    round,
    lines,
    policy,
  }: {
    readonly job: FederatedJob;
    readonly round: number;
    readonly lines: readonly string[];
    readonly policy: Policy;
  },
  options: Abortable,
): Promise<void> {
  const { market, account } = context;
  const { terms } = job;
  const closed = job.closings[round - 1];
  if (terms.seats === 0 || closed === undefined) return;
  const { aggregation, members, earned } = readAggregation(lines.at(-1) ?? "");
  const domain = market.ledgerDomainOf(job.id);
  const isChains = recordHash(aggregation, domain) === closed.closing.ledgerTip;
  const sums = earned.map(([one, amount]): [Address, bigint] => [one, BigInt(amount)]);
  await journal.step(`earned-${round}`, { prepare: () => sums, act: (one) => one });
  const before = journal.outcome<[Address, bigint][]>(`earned-${round - 1}`);
  const made = journal.outcome<MadeUpdate>(`update-${round}`);
  const asserted = memberOf(job, account)?.assertions.some((one) => one.round === round);
  if (made === undefined) return;
  const isWhole =
    isChains && treeRoot(members.map((one) => memberLeaf(round, one))) === closed.closing.updatesRoot;
  if (!isWhole || (round > 1 && before === undefined)) return;
  const books = { round, members, earned: new Map(sums), earnedBefore: new Map(before ?? []) };
  const upload = recordHash(made.message.upload, domain);
  if (!isUnderpaid(books, { provider: account, upload, roundPrice: terms.roundPrice })) return;
  const what = `round ${round}: its closing pays less than its own figures come to`;
  if (!asserted || !isWorthABond(terms, closed.asserted, policy.federated.sure)) {
    const can = `"ichain challenge ${shortId(job.id)} --round ${round}" can`;
    noteAndReport(
      context,
      journal,
      `${what}; not challenged, which is not worth the bond here (${can})`,
      "warn",
    );
    return;
  }
  if ((await market.now(options)) > challengeBy(job, round)) return;
  noteAndReport(context, journal, `${what}, and is challenged`, "warn");
  await unlessRefused(() => challengeRound(context, journal, { job, round }, options));
}
