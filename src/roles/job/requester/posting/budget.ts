import { IchainError } from "../../../../errors/error.ts";
import type { Journal } from "../../../../ports/journal.ts";
import type { TokenInfo } from "../../../../protocol/amounts.ts";
import { overBudget, type Spending } from "../../../../protocol/budget.ts";
import { type FederatedTerms, federatedPriceOf } from "../../../../protocol/federated/market/terms.ts";
import { type Address, type JobId, sameAddress } from "../../../../protocol/ids.ts";
import { lockedBy } from "../../../../protocol/job/terms.ts";
import type { RoleContext } from "../../../context.ts";
import { ENDED_STEP } from "../take-notice.ts";
import { draftOf } from "./draft.ts";

type Records = Pick<Journal, "undertakings" | "open">;

const DAY_MS = 86_400_000;

/** What an act in a data campaign takes from the account, in the token's smallest unit: a step of its own in the journal. */
export interface CampaignLock {
  readonly token: Address;
  readonly locked: bigint;
}
export const LOCK_STEP = "lock";

/**
 * Refuses a job, or an act in a data campaign, with which this home would lock more than its owner's budgets allow;
 * `replaces`: the job that is over and in whose place it is posted; `locked`: what it would lock. Where there are budgets,
 * a token without one is refused.
 * @throws BUDGET_EXCEEDED
 */
export function refuseOverBudget(
  { journal, budgets = [] }: Pick<RoleContext, "budgets"> & { readonly journal: Records },
  { locked, token }: { readonly locked: bigint; readonly token: TokenInfo },
  replaces?: JobId,
): void {
  if (budgets.length === 0) return;
  const own = budgets.filter((one) => sameAddress(one.token, token.address));
  if (own.length === 0) throw exceeded(`config.yaml has budgets, and none for ${token.symbol}.`, token);
  const spending = { job: locked, ...lockedBefore(journal, token.address, replaces) };
  for (const { budget } of own) {
    const why = overBudget(budget, spending, token);
    if (why !== undefined) throw exceeded(`It would exceed the budget in config.yaml: ${why}.`, token);
  }
}

/** What the jobs and campaigns of the journal have locked, without those whose money came back before or in place of another. */
function lockedBefore(
  journal: Records,
  token: Address,
  replaces: JobId | undefined,
): Pick<Spending, "day" | "total"> {
  const jobs = journal.undertakings({ role: "requester" }).flatMap(({ key, openedAt, finished }) => {
    const record = journal.open("requester", key);
    const draft = draftOf(record);
    if (draft === undefined || !sameAddress(draft.terms.token, token)) return [];
    const unposted = finished !== undefined && record.intent("post") === undefined;
    const cameBack = record.outcome("cancel") !== undefined || record.outcome(ENDED_STEP) === "Cancelled";
    if (unposted || cameBack) return [];
    return [{ key, openedAt, locked: lockedBy(draft.terms), after: draft.again?.after }];
  });
  jobs.push(...federatedBefore(journal, token), ...campaignsBefore(journal, token));
  const replaced = new Set([replaces, ...jobs.map(({ after }) => after)]);
  const counted = jobs.filter(({ key }) => !replaced.has(key as JobId));
  const sum = (some: typeof jobs) => some.reduce((total, { locked }) => total + locked, 0n);
  const since = Date.now() - DAY_MS;
  return { day: sum(counted.filter(({ openedAt }) => openedAt > since)), total: sum(counted) };
}

/** The same of federated jobs; one that ended without a round has all of it back. */
function federatedBefore(journal: Records, token: Address) {
  return journal.undertakings({ role: "federated-requester" }).flatMap(({ key, openedAt, finished }) => {
    const record = journal.open("federated-requester", key);
    const terms = record.outcome<{ readonly terms: FederatedTerms }>("draft")?.terms;
    if (terms === undefined || !sameAddress(terms.token, token) || finished === "failed") return [];
    return [{ key, openedAt, locked: federatedPriceOf(terms), after: undefined }];
  });
}

/** The same of what was done in data campaigns; what comes back of a deposit later counts on. */
function campaignsBefore(journal: Records, token: Address) {
  return journal.undertakings({ role: "campaign" }).flatMap(({ key, openedAt, finished }) => {
    const lock = journal.open("campaign", key).outcome<CampaignLock>(LOCK_STEP);
    if (lock === undefined || !sameAddress(lock.token, token) || finished === "failed") return [];
    return [{ key, openedAt, locked: lock.locked, after: undefined }];
  });
}

function exceeded(message: string, { address }: TokenInfo): IchainError {
  return new IchainError("BUDGET_EXCEEDED", `Nothing was posted. ${message}`, {
    details: { token: address },
  });
}
