import type { Abortable } from "../../async/abort.ts";
import type { Notification, OwnerNotifier } from "../../ports/notifier.ts";
import { amountText, COIN, coinText } from "../../protocol/amounts.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import { neutraliseLine } from "../../protocol/neutralise.ts";
import { incomeOf } from "../../protocol/policy/income.ts";
import type { RoleContext } from "../context.ts";
import type { Duty } from "./daemon.ts";

/**
 * The same duty of a provider or validator, whose owner is told what each job came to that it took on: paid, unpaid, or
 * at the cost of stake; once at most. What cannot be told is in the log.
 */
export function tellingOwner(context: RoleContext, notifier: OwnerNotifier, duty: Duty): Duty {
  const tell = async (jobId: JobId, options: Abortable) => {
    try {
      const notification = await outcomeOf(context, duty, jobId, options);
      if (notification) notifier.tell(notification);
    } catch (error) {
      context.logger.warn("The owner is not told what a job came to", { job: jobId, error });
    }
  };
  return {
    ...duty,
    async work(jobId, options) {
      await duty.work(jobId, options);
      await tell(jobId, options);
    },
    async giveUp(jobId, options) {
      await duty.giveUp(jobId, options);
      await tell(jobId, options);
    },
  };
}

/** Undefined of a job that was declined, or is not over. */
async function outcomeOf(
  { market, journal, account }: RoleContext,
  { role }: Duty,
  jobId: JobId,
  options: Abortable,
): Promise<Notification | undefined> {
  const begun = journal.open(role, jobId).intent(role === "provider" ? "accept" : "commit") !== undefined;
  if (!begun) return undefined;
  const job = await market.job(jobId, options);
  const income = incomeOf(job, account);
  if (income === undefined) return undefined;
  const { paid, slashed } = income;
  const ended = `Job ${shortId(jobId)}, as its ${role}: ended ${job.cause ?? job.state}`;
  if (slashed > 0n) {
    return {
      event: "slashed",
      job: jobId,
      text: `${ended}, ${coinText(slashed)} ${COIN.symbol} of stake lost`,
    };
  }
  if (paid <= 0n) return { event: "failed", job: jobId, text: `${ended}, unpaid` };
  const { decimals, symbol } = await market.token(job.terms.token, options);
  const amount = `${amountText(paid, decimals)} ${neutraliseLine(symbol)}`;
  return { event: "done", job: jobId, text: `${ended}, paid ${amount}` };
}
