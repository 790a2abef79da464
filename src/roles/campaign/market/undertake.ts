import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal, Journal } from "../../../ports/journal.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../context.ts";
import { type CampaignLock, LOCK_STEP, refuseOverBudget } from "../../job/requester/posting/budget.ts";

/**
 * One act in a campaign, named after what it does to what, as an undertaking of its own: one that was interrupted goes
 * on, and one that the contract refused can be tried again.
 */
export async function undertake<T>(
  journal: Journal,
  { campaign, name }: { readonly campaign: Hex; readonly name: string },
  act: (record: JobJournal) => Promise<T>,
): Promise<T> {
  const begun = undertakenOf(journal, campaign, name);
  const open = begun.find(({ finished }) => finished === undefined);
  const record = journal.open("campaign", open?.key ?? `${campaign}/${name}/${begun.length}`);
  try {
    const result = await act(record);
    record.finish("done");
    return result;
  } catch (error) {
    // Nothing was sent, or what was sent is mined and had no effect.
    if (isIchainError(error) && error.class === "refused") record.finish("failed");
    throw error;
  }
}

/**
 * Records what an act takes from the account, once its owner's budgets allow it; what is recorded already is allowed.
 * @throws BUDGET_EXCEEDED
 */
export async function recordLock(
  context: Pick<RoleContext, "market" | "journal" | "budgets" | "lockBudgets">,
  record: JobJournal,
  lock: CampaignLock,
  options: Abortable,
): Promise<void> {
  const { market, budgets = [] } = context;
  if (record.outcome(LOCK_STEP) !== undefined) return;
  // Of two acts at the same moment one sees the other.
  using _lock = await context.lockBudgets?.(options);
  if (budgets.length > 0) {
    const token = await market.token(lock.token, options);
    refuseOverBudget(context, { locked: lock.locked, token });
  }
  await record.step<CampaignLock, CampaignLock>(LOCK_STEP, { prepare: () => lock, act: (one) => one });
}

/** What was undertaken under this name, the oldest first. */
export function undertakenOf(journal: Journal, campaign: Hex, name: string) {
  const prefix = `${campaign}/${name}/`;
  return journal.undertakings({ role: "campaign" }).filter(({ key }) => key.startsWith(prefix));
}
