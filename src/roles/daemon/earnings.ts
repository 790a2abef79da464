import type { Abortable } from "../../async/abort.ts";
import type { Journal, Role } from "../../ports/journal.ts";
import type { MarketReader } from "../../ports/market.ts";
import type { Address } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import { type Income, incomeOf } from "../../protocol/policy/income.ts";

/** What one job brought and cost an account that worked on it. */
export interface Earning extends Income {
  readonly job: Job;
  /** Unix seconds: when this home ended it, or else by when it had to be accepted. */
  readonly at: number;
  /** Wei that the job's own transactions cost this account; undefined where the journal does not know the job. */
  readonly gas: bigint | undefined;
}

/** Every job in which the account is provider or has a seat. */
export async function jobsWorkedOn(
  market: Pick<MarketReader, "jobs">,
  account: Address,
  options: Abortable,
): Promise<Job[]> {
  const lists = await Promise.all([
    market.jobs({ provider: account }, options),
    market.jobs({ validator: account }, options),
  ]);
  return lists.flat();
}

/** What those of the jobs that are over brought the account, the oldest first; `journal`: this home's, where there is one. */
export function earningsOf(
  jobs: readonly Job[],
  account: Address,
  journal: Journal | undefined,
): readonly Earning[] {
  return jobs
    .flatMap((job) => {
      const income = incomeOf(job, account);
      if (income === undefined) return [];
      const known = journal?.find(income.role, job.id);
      const at = known?.finishedAt === undefined ? job.terms.acceptBy : Math.floor(known.finishedAt / 1000);
      const gas = known && journal ? gasOfRecord(journal, income.role, job.id) : undefined;
      return [{ job, at, gas, ...income }];
    })
    .toSorted((a, b) => a.at - b.at);
}

/** The sums of `paid` by the token's address, in lower case. */
export function paidByToken(
  earnings: readonly {
    readonly job: { readonly terms: { readonly token: Address } };
    readonly paid: bigint;
  }[],
): ReadonlyMap<Address, bigint> {
  const sums = new Map<Address, bigint>();
  for (const { job, paid } of earnings) {
    const token = job.terms.token.toLowerCase() as Address;
    sums.set(token, (sums.get(token) ?? 0n) + paid);
  }
  return sums;
}

/** Wei for gas that the account's own undertakings cost: offers, stake, withdrawals; those begun at `since` or later. */
export function gasBesideJobs(journal: Journal, since: number): bigint {
  return journal
    .undertakings({ role: "account" })
    .filter(({ openedAt }) => openedAt >= since * 1000)
    .reduce((sum, { key }) => sum + gasOfRecord(journal, "account", key), 0n);
}

/** Wei for gas that a record tells of. */
export function gasOfRecord(journal: Journal, role: Role, key: string): bigint {
  const fees = journal
    .open(role, key)
    .outcomes()
    .map((outcome) => (outcome as { fee?: unknown } | null)?.fee);
  return fees.reduce<bigint>((sum, fee) => sum + (typeof fee === "bigint" ? fee : 0n), 0n);
}
