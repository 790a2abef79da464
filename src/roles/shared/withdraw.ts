import type { Abortable } from "../../async/abort.ts";
import { isIchainError } from "../../errors/error.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { AccountCall } from "../../ports/market/ownership.ts";
import type { Job } from "../../protocol/job/job.ts";
import type { RoleContext } from "../context.ts";
import { transact } from "./transact.ts";

/**
 * Withdraws what the escrow owes this account in the job's token, from this job or others, if anything; it goes to the
 * account's payee. Another job that ended at the same moment may have withdrawn all of it; a token that does not pay
 * the payee, or a payee that refuses coin, leaves it owed, which is no reason to give the job up.
 */
export async function withdrawOwed(
  { market, account, reporter }: Pick<RoleContext, "market" | "account" | "reporter">,
  journal: JobJournal,
  { terms: { token } }: Job,
  options: Abortable,
): Promise<void> {
  const begun = journal.intent("withdraw") !== undefined;
  if (!begun && (await market.owed(account, token, options)) === 0n) return;
  try {
    await transact(market, journal, { kind: "withdraw", token }, options);
  } catch (error) {
    if (isIchainError(error, "ESCROW_NOTHING_OWED")) return;
    if (!isIchainError(error, "TOKEN_WITHHELD") && !isIchainError(error, "ESCROW_TRANSFER_FAILED"))
      throw error;
    reporter.emit({ kind: "warn", text: `${error.message} "ichain wallet withdraw" tries again.` });
  }
}

/**
 * Withdraws all that an escrow, or the contract of data campaigns, owes an account in `token`, as an undertaking of its own.
 * @throws ESCROW_NOTHING_OWED, REGISTRY_NOT_OWNER, TOKEN_WITHHELD
 */
export async function withdrawToken(
  { market, journal }: Pick<RoleContext, "market" | "journal">,
  call: Extract<AccountCall, { kind: `withdraw${"" | "Federated" | "Campaigns" | "Improvements"}` }>,
  options: Abortable,
): Promise<void> {
  const record = journal.open("account", `${call.kind}-${call.token}-${Date.now()}`);
  try {
    await transact(market, record, call, { ...options, name: "withdraw" });
    record.finish("done");
  } catch (error) {
    if (record.intent("withdraw") === undefined) record.finish("failed");
    throw error;
  }
}
