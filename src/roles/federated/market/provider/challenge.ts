import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { readAggregation } from "../../../../protocol/federated/ledger/ledger.ts";
import { recordHash } from "../../../../protocol/federated/ledger/record.ts";
import { memberLeaf, treeRoot } from "../../../../protocol/federated/ledger/tree.ts";
import {
  EVIDENCE_FILE,
  type Evidence,
  updateFolder,
} from "../../../../protocol/federated/market/dispute/evidence.ts";
import { isWorthABond, wrongIn } from "../../../../protocol/federated/market/dispute/grounds.ts";
import { memberOf } from "../../../../protocol/federated/market/fold.ts";
import { challengeBy, type Dispute, type FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { Address } from "../../../../protocol/ids.ts";
import type { Policy } from "../../../../protocol/policy/policy.ts";
import type { WorkerContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { challengeRound } from "../dispute/open.ts";
import type { Exhibit } from "../dispute/stand.ts";
import { unlessRefused } from "../unless-refused.ts";
import { UPDATE_FILE } from "../update-parcel.ts";
import { keptInputs, type MadeUpdate } from "./retrain.ts";

/**
 * Looks for what wrongs this provider in the books of a closed round, which `keepPay` has seen to pay what the chain says,
 * and challenges the closing where the policy finds that worth its bond. It can only where it had asserted its update: a
 * panel counts on nothing else.
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
  if (made === undefined || !asserted) return;
  const isWhole =
    isChains && treeRoot(members.map((one) => memberLeaf(round, one))) === closed.closing.updatesRoot;
  if (!isWhole || (round > 1 && before === undefined)) return;
  const books = { round, members, earned: new Map(sums), earnedBefore: new Map(before ?? []) };
  const upload = recordHash(made.message.upload, domain);
  const wrong = wrongIn(books, { provider: account, upload, roundPrice: terms.roundPrice });
  if (wrong === undefined) return;
  const what =
    wrong === "left-out" ? "leaves out the update that was asserted" : "pays less than its own books come to";
  if (!isWorthABond(terms, closed.asserted, policy.federated.sure)) {
    noteAndReport(
      context,
      journal,
      `round ${round}: its closing ${what}; a challenge is not worth its bond`,
      "warn",
    );
    return;
  }
  if ((await market.now(options)) > challengeBy(job, round)) return;
  noteAndReport(context, journal, `round ${round}: its closing ${what}, and is challenged`, "warn");
  await unlessRefused(() => challengeRound(context, journal, { job, round }, options));
}

/** What a provider shows the panel of a dispute over a closing: the update that it asserted. */
export async function showUpdate(
  { jobsDir, parcels, account }: WorkerContext,
  journal: JobJournal,
  { job, dispute }: { readonly job: FederatedJob; readonly dispute: Dispute },
  options: Abortable,
): Promise<Exhibit | undefined> {
  const { round, about, number } = dispute;
  const made = journal.outcome<MadeUpdate>(`update-${round}`);
  const asserted = memberOf(job, account)?.assertions.some((one) => one.round === round);
  if (about !== undefined || made === undefined || !asserted) return undefined;
  const { dir } = jobFolder(jobsDir, "federated-provider", job.id);
  const folder = join(dir, `evidence-${number}`);
  await mkdir(join(folder, updateFolder(0)), { recursive: true, mode: 0o700 });
  await copyFile(keptInputs(dir, round).update, join(folder, updateFolder(0), UPDATE_FILE));
  const evidence: Evidence = { round, updates: [made.message] };
  await writeFile(join(folder, EVIDENCE_FILE), JSON.stringify(evidence));
  const packed = await parcels.pack({ root: folder, paths: ["."], out: `${folder}.parcel` }, options);
  await rm(folder, { recursive: true, force: true });
  return { evidence: { blob: packed.blob, key: packed.sessionKey } };
}
