import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { readAggregation } from "../../../../protocol/federated/ledger/ledger.ts";
import { payLeaf, proofOf, treeRoot } from "../../../../protocol/federated/ledger/tree.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { type Address, type Hex, ZERO_ADDRESS } from "../../../../protocol/ids.ts";
import type { Policy } from "../../../../protocol/policy/policy.ts";
import type { WorkerContext } from "../../../context.ts";
import { chainDeadline } from "../../../shared/chain-deadline.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { transact } from "../../../shared/transact.ts";
import { unlessRefused } from "../unless-refused.ts";
import { examineBooks } from "./challenge.ts";
import type { Enlisted } from "./enlist.ts";
import { hear, leadsOf } from "./leads.ts";

/** What this provider has earned up to a round, and the proof of it: a step of the journal. */
export interface Earned {
  readonly round: number;
  readonly earned: bigint;
  readonly proof: readonly Hex[];
}

interface LastRound {
  readonly job: FederatedJob;
  readonly enlisted: Enlisted;
  readonly now: number;
  readonly policy: Policy;
}

/** How long the last message is asked for, once no dispute is possible any more, milliseconds. */
const LAST_MESSAGE_MS = 60_000;

/**
 * Keeps what the requester says that this provider earned up to `round`, once it is seen to be what the chain has. A
 * provider does not train on without it: it risks the work of one round at most.
 * @throws FEDERATED_MESSAGE_INVALID when it is not, or leaves this provider out
 */
export async function keepPay(
  { account }: Pick<WorkerContext, "account">,
  journal: JobJournal,
  {
    job,
    round,
    lines,
  }: { readonly job: FederatedJob; readonly round: number; readonly lines: readonly string[] },
): Promise<void> {
  if (round === 0) return;
  const closing = job.closings[round - 1]?.closing;
  const told = readAggregation(lines.at(-1) ?? "");
  const sums = new Map(told.earned.map(([one, amount]) => [one as Address, BigInt(amount)]));
  const leaves = [...sums].map(([one, amount]) => payLeaf(one, amount));
  if (closing === undefined || treeRoot(leaves) !== closing.payRoot || told.aggregation.round !== round)
    throw new IchainError(
      "FEDERATED_MESSAGE_INVALID",
      `The requester's account of round ${round} is not the chain's.`,
    );
  const own = account.toLowerCase() as Address;
  const place = [...sums.keys()].indexOf(own);
  await journal.step<Earned, Earned>(`pay-${round}`, {
    prepare: () => ({ round, earned: sums.get(own) ?? 0n, proof: place < 0 ? [] : proofOf(leaves, place) }),
    act: (one) => one,
  });
}

/**
 * Takes this provider's pay once no dispute can change it; resolves with the sum, or with undefined while it is too early.
 * Stakes of all members are released by whichever comes first.
 */
export async function settleUp(
  context: WorkerContext,
  journal: JobJournal,
  { job, enlisted, now, policy }: LastRound,
  options: Abortable,
): Promise<bigint | undefined> {
  const { market, account } = context;
  const rounds = job.closings.length;
  if (rounds > 0 && journal.outcome(`pay-${rounds}`) === undefined)
    await hearLast(context, journal, { job, enlisted, now, policy }, options);
  if (now <= job.deadline) return undefined;
  const pay = latestPay(journal, rounds);
  if (pay !== undefined && pay.earned > 0n) {
    const payouts = [{ account, earned: pay.earned, proof: pay.proof }];
    const call = { kind: "claimPay", federated: job, round: pay.round, payouts } as const;
    await unlessRefused(() => transact(market, journal, call, options));
  }
  await unlessRefused(() => transact(market, journal, { kind: "releaseStakes", federated: job }, options));
  const { token, refunds } = job.terms;
  const owed = await market.owedFederated(account, token, options);
  if (owed > 0n)
    await unlessRefused(() => transact(market, journal, { kind: "withdrawFederated", token }, options));
  if (refunds && token !== ZERO_ADDRESS) await withdrawPart(context, journal, options);
  return owed;
}

/** Of a cheat's deposit, which was in coin. */
async function withdrawPart(
  { market, account }: Pick<WorkerContext, "market" | "account">,
  journal: JobJournal,
  options: Abortable,
): Promise<void> {
  if ((await market.owedFederated(account, ZERO_ADDRESS, options)) === 0n) return;
  const call = { kind: "withdrawFederated", token: ZERO_ADDRESS } as const;
  await unlessRefused(() => transact(market, journal, call, { ...options, name: "withdraw-part" }));
}

/** Of the last round whose account is here. */
function latestPay(journal: JobJournal, rounds: number): Earned | undefined {
  for (let round = rounds; round > 0; round--) {
    const pay = journal.outcome<Earned>(`pay-${round}`);
    if (pay !== undefined) return pay;
  }
  return undefined;
}

/**
 * The requester's account of the last round; without it the pay of that round cannot be claimed. It is asked for as long
 * as the round can be disputed: a requester that was lost may come back.
 */
async function hearLast(
  context: WorkerContext,
  journal: JobJournal,
  { job, enlisted, now, policy }: LastRound,
  options: Abortable,
): Promise<void> {
  const rounds = job.closings.length;
  const isOver = now > job.deadline;
  using disputed = chainDeadline(
    isOver ? Number.POSITIVE_INFINITY : job.deadline,
    context.market,
    options.signal,
  );
  using limit = linkSignals([disputed.signal], isOver ? LAST_MESSAGE_MS : undefined);
  try {
    const leads = await leadsOf(context, journal, job.id, enlisted, limit);
    const { ledger } = await hear(context, leads, { from: rounds + 1, accept: () => true }, limit);
    const told = { job, round: rounds, lines: ledger };
    await keepPay(context, journal, told);
    await examineBooks(context, journal, { ...told, policy }, options);
  } catch (error) {
    options.signal.throwIfAborted();
    const why = isIchainError(error) ? error.message : "it cannot be reached";
    noteAndReport(
      context,
      journal,
      `the requester does not say what round ${rounds} came to: ${why}`,
      "warn",
    );
  }
}
