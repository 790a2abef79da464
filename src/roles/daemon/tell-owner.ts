import type { Abortable } from "../../async/abort.ts";
import { isIchainError } from "../../errors/error.ts";
import type { Notification, OwnerNotifier } from "../../ports/notifier.ts";
import { amountText, COIN, coinText } from "../../protocol/amounts.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import { neutraliseLine } from "../../protocol/neutralise.ts";
import { incomeOf } from "../../protocol/policy/income.ts";
import type { RoleContext } from "../context.ts";
import type { Duty } from "./daemon.ts";

/**
 * The same duty of a provider or validator, whose owner is told what each job came to that it took on: paid, unpaid, or
 * at the cost of stake; once at most. One that is given up before it is over needs its owner. What cannot be told is in
 * the log.
 */
export function tellingOwner(context: RoleContext, notifier: OwnerNotifier, duty: Duty): Duty {
  const tell = async (jobId: JobId, options: Abortable, { givenUp = false } = {}) => {
    try {
      const notification = await outcomeOf(context, duty, jobId, options);
      if (notification) return notifier.tell(notification);
      if (givenUp && hasBegun(context, duty, jobId)) notifier.tell(givenUpText(duty, jobId));
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
      try {
        await duty.giveUp(jobId, options);
      } catch (error) {
        // Others are tried again.
        if (!isIchainError(error) || !error.retryable) await tell(jobId, options, { givenUp: true });
        throw error;
      }
      await tell(jobId, options, { givenUp: true });
    },
  };
}

/** Whether it has accepted the job, or committed to its measurement. */
function hasBegun({ journal }: RoleContext, { role }: Duty, jobId: JobId): boolean {
  return journal.open(role, jobId).intent(role === "provider" ? "accept" : "commit") !== undefined;
}

function givenUpText({ role }: Duty, job: JobId): Notification {
  const id = shortId(job);
  return {
    ...{ event: "needs-you", job },
    text: `Job ${id}, as its ${role}: given up before it was over; "ichain why ${id}" says who must act by when, the log why it was given up`,
  };
}

/** Undefined of a job that was declined, or is not over. */
async function outcomeOf(
  context: RoleContext,
  duty: Duty,
  jobId: JobId,
  options: Abortable,
): Promise<Notification | undefined> {
  if (!hasBegun(context, duty, jobId)) return undefined;
  const { market, account } = context;
  const { role } = duty;
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
