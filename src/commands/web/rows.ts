import { isServed } from "../../compose.ts";
import type { Address } from "../../protocol/ids.ts";
import { sameAddress } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import { isFinal } from "../../protocol/job/state.ts";
import { lockedBy } from "../../protocol/job/terms.ts";
import { incomeOf } from "../../protocol/policy/income.ts";
import { coin, money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import type { Tokens } from "../steps/tokens.ts";
import { roleIn } from "../steps/view.ts";

/** A job as a line of the page's list; amounts as people read them. */
export function jobRow(job: Job, account: Address, tokens: Tokens) {
  const { id, state, verdict, terms, deadline } = job;
  return {
    jobId: id,
    state,
    verdict,
    final: isFinal(state),
    role: roleIn(job, account),
    deadline,
    price: money(terms.price, tokens(terms.token)),
    money: moneyText(job, account, tokens),
    provider: terms.provider,
    block: job.postedBlock,
  };
}

/** What of this account's money the job holds, or what became of it. */
function moneyText(job: Job, account: Address, tokens: Tokens): string {
  const { terms, state, validations } = job;
  const text = (amount: bigint) => money(amount, tokens(terms.token));
  const income = incomeOf(job, account);
  if (income !== undefined) {
    const lost = income.slashed > 0n ? `, ${coin(income.slashed)} of the stake lost` : "";
    return `${text(income.paid)} earned${lost}`;
  }
  if (sameAddress(terms.provider, account))
    return state === "Posted" ? "nothing at stake yet" : `${coin(terms.providerStake)} of the stake locked`;
  if (!sameAddress(terms.requester, account)) return `${coin(terms.validatorStake)} of the stake locked`;
  if (!isFinal(state)) return `${text(lockedBy(terms))} locked`;
  const toProvider = incomeOf(job, terms.provider)?.paid ?? 0n;
  const fees = validations.reduce((sum, { validator }) => sum + (incomeOf(job, validator)?.paid ?? 0n), 0n);
  if (toProvider <= 0n && fees === 0n) return "all paid back";
  return fees > 0n ? `${text(toProvider)} and ${text(fees)} in fees paid` : `${text(toProvider)} paid`;
}

/** What this account has locked in jobs as their requester, and has paid for those that are over, by token. */
export function totals(jobs: readonly Job[], account: Address, tokens: Tokens) {
  const [locked, paid] = [new Map<Address, bigint>(), new Map<Address, bigint>()];
  for (const job of jobs) {
    const { terms, state } = job;
    if (!sameAddress(terms.requester, account)) continue;
    const [sums, amount] = isFinal(state) ? [paid, spentOn(job)] : [locked, lockedBy(terms)];
    sums.set(terms.token, (sums.get(terms.token) ?? 0n) + amount);
  }
  const text = (sums: ReadonlyMap<Address, bigint>) =>
    [...sums].map(([token, amount]) => money(amount, tokens(token))).join(", ") || coin(0n);
  return { locked: text(locked), paid: text(paid) };
}

/** What a job that is over cost its requester: to its provider, and in fees. */
function spentOn(job: Job): bigint {
  const workers = new Set([job.terms.provider, ...job.validations.map(({ validator }) => validator)]);
  return [...workers].reduce((sum, one) => sum + (incomeOf(job, one)?.paid ?? 0n), 0n);
}

export const serving = (context: CommandContext): Promise<boolean> => isServed(context).catch(() => false);
