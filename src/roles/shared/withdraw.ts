import type { Abortable } from "../../async/abort.ts";
import { isIchainError } from "../../errors/error.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { Job } from "../../protocol/job/job.ts";
import type { RoleContext } from "../context.ts";
import { transact } from "./transact.ts";

/**
 * Withdraws what the escrow owes this account in the job's token, from this job or others, if anything. Another job
 * that ended at the same moment may have withdrawn all of it.
 */
export async function withdrawOwed(
  { market, account }: Pick<RoleContext, "market" | "account">,
  journal: JobJournal,
  { terms: { token } }: Job,
  options: Abortable,
): Promise<void> {
  const begun = journal.intent("withdraw") !== undefined;
  if (!begun && (await market.owed(account, token, options)) === 0n) return;
  try {
    await transact(market, journal, { kind: "withdraw", token }, options);
  } catch (error) {
    if (!isIchainError(error, "ESCROW_NOTHING_OWED")) throw error;
  }
}
