import type { Abortable } from "../../async/abort.ts";
import type { Journal } from "../../ports/journal.ts";
import type { MarketReader } from "../../ports/market.ts";
import { memberOf } from "../../protocol/federated/market/fold.ts";
import {
  type FederatedJob,
  type FederatedMember,
  type Fee,
  partOf,
} from "../../protocol/federated/market/job.ts";
import { type Address, sameAddress, ZERO_ADDRESS } from "../../protocol/ids.ts";
import type { ClosedRound } from "../federated/market/requester/round/books.ts";
import { gasOfRecord } from "./earnings.ts";

/** What a federated job that is over brought one that worked on it, or cost its requester. */
export interface FederatedEarning {
  readonly job: FederatedJob;
  /** `panel`: it judged disputes of the job, and had no other part in it. */
  readonly role: "requester" | "provider" | "validator" | "panel";
  /** Unix seconds: when this home ended it, or else when pay was due. */
  readonly at: number;
  /** In the job's token; of its requester what providers got, negative. */
  readonly paid: bigint;
  /** Rounds that paid this provider, or any; undefined where the journal does not tell. */
  readonly paidRounds: number | undefined;
  /** Wei of the account's own transactions; undefined where the journal does not know the job. */
  readonly gas: bigint | undefined;
}

/** Those of all federated jobs of the account that are over, the oldest first; `journal`: this home's, where there is one. */
export function federatedEarningsOf(
  jobs: readonly FederatedJob[],
  account: Address,
  journal: Journal | undefined,
): readonly FederatedEarning[] {
  const ended = jobs.filter(({ state }) => state === "Ended");
  return ended.map((job) => earningOf(job, account, journal)).toSorted((a, b) => a.at - b.at);
}

/** Every federated job that the account posted, or takes part in; those too whose disputes it was drawn for. */
export async function federatedJobsOf(
  market: Pick<MarketReader, "federatedJobs">,
  account: Address,
  options: Abortable,
): Promise<FederatedJob[]> {
  const filters = [{ requester: account }, { provider: account }, { validator: account }];
  const lists = await Promise.all(filters.map((filter) => market.federatedJobs(filter, options)));
  return [...new Map(lists.flat().map((job) => [job.id, job])).values()];
}

function earningOf(job: FederatedJob, account: Address, journal: Journal | undefined): FederatedEarning {
  const member = memberOf(job, account);
  const isRequester = sameAddress(job.terms.requester, account);
  const work = member === undefined ? "panel" : member.seat ? "validator" : "provider";
  const role = isRequester ? "requester" : work;
  const known = journal?.find(`federated-${role}`, job.id);
  const record = known && journal?.open(known.role, job.id);
  const at = known?.finishedAt === undefined ? job.deadline : Math.floor(known.finishedAt / 1000);
  const gas = known && journal && gasOfRecord(journal, known.role, job.id);
  const rounds = job.closings.map((_, i) => i + 1);
  const fees = feesIn(job, (fee) => sameAddress(fee.account, account));
  if (role === "panel") return { job, role, at, paid: fees, paidRounds: undefined, gas };
  if (member !== undefined && !isRequester) {
    const earned = rounds.map((round) =>
      role === "provider"
        ? record?.outcome<{ earned: bigint }>(`pay-${round}`)?.earned
        : ofSeat(record?.outcome<{ closed: ClosedRound }>(`adopted-${round}`)?.closed, account),
    );
    const paidRounds = earned.includes(undefined)
      ? undefined
      : earned.filter((sum, i) => sum! > (earned[i - 1] ?? 0n)).length;
    return { job, role, at, paid: gotBy(job, member) + fees, paidRounds, gas };
  }
  const closed = rounds.map((round) => record?.outcome<ClosedRound>(`closing-${round}`));
  const paidRounds = closed.includes(undefined)
    ? undefined
    : closed.filter((one) => one!.paid.some(([, amount]) => amount > 0n)).length;
  // What was earned is known before it is claimed.
  const owed = closed.at(-1)?.earned.filter(([one]) => !sameAddress(one, account));
  const sum = (amounts: readonly bigint[]) => amounts.reduce((total, one) => total + one, 0n);
  const open =
    sum(job.members.map((one) => shareOfOpenRound(job, one))) + feesIn(job, ({ of }) => of === "strike");
  const spent =
    owed === undefined
      ? sum(job.members.map(({ claimed }) => claimed)) + open
      : sum(owed.map(([, amount]) => amount)) + open;
  return { job, role, at, paid: -spent, paidRounds, gas };
}

/** What a seat has earned up to a round, as its books have it. */
function ofSeat(closed: ClosedRound | undefined, account: Address): bigint | undefined {
  return closed && (closed.earned.find(([one]) => sameAddress(one, account))?.[1] ?? 0n);
}

/** In the job's token: a part of a cheat's deposit, which was in coin, counts where that is the coin. */
function gotBy(job: FederatedJob, member: FederatedMember): bigint {
  const part = job.terms.token === ZERO_ADDRESS ? partOf(job, member) : 0n;
  return member.claimed + part + (member.standing === "released" ? shareOfOpenRound(job, member) : 0n);
}

function feesIn({ fees }: FederatedJob, counts: (fee: Fee) => boolean): bigint {
  return fees.filter(counts).reduce((total, { amount }) => total + amount, 0n);
}

/** Without seats the round that its requester left open is shared by those that said on the chain that they uploaded. */
function shareOfOpenRound(
  { cause, terms, closings, members }: FederatedJob,
  member: FederatedMember,
): bigint {
  const asserted = members.filter((one) => one.asserted > closings.length);
  if (terms.seats > 0 || cause === "completed" || !asserted.includes(member)) return 0n;
  return terms.roundPrice / BigInt(asserted.length);
}
