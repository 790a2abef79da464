import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import { type JobId, sameAddress } from "../../../protocol/ids.ts";
import { seatOf } from "../../../protocol/job/job.ts";
import { forJob, type WorkerContext } from "../../context.ts";
import type { Duty } from "../../daemon/daemon.ts";
import { type Machine, openSlots } from "../../daemon/slots.ts";
import { endLostJob, isLost } from "../../shared/lost-job.ts";
import { noteAndReport } from "../../shared/note.ts";
import { transact } from "../../shared/transact.ts";
import { discardRuns, finishWork } from "../../task/run-task.ts";
import { commit, type ValidatorSetup } from "./commit.ts";
import { reveal } from "./reveal.ts";

/** What `ichain validate` does: it works on every job in which this account has a seat. */
export function validateDuty(
  context: WorkerContext,
  machine: Omit<ValidatorSetup, "slots">,
  whole?: Machine,
): Duty {
  const slots = openSlots(machine.policy.maxJobs, whole);
  const setup = (): ValidatorSetup => ({ ...machine, slots });
  return {
    role: "validator",
    watch: (options) => context.market.watch({ validator: context.account }, options),
    wants: (job) =>
      job.state === "Validating" &&
      job.validations.some(({ validator, commitment, abstained, sealed }) => {
        const ours = sameAddress(validator, context.account);
        // In a dispute begin without a locator: a provider that never sends one is found wrong.
        const reachable = sealed !== "0x" || job.round !== "first";
        return ours && commitment === undefined && !abstained && reachable;
      }),
    work: (jobId, options) => validate(forJob(context, jobId), jobId, setup(), options),
    giveUp: (jobId, options) => abandonValidation(forJob(context, jobId), jobId, options),
    policyChanged: () => slots.resize(machine.policy.maxJobs),
  };
}

/** One validation from appointment to fee; safe to call again after a crash at any point. */
async function validate(
  context: WorkerContext,
  jobId: JobId,
  setup: ValidatorSetup,
  options: Abortable,
): Promise<void> {
  const journal = context.journal.open("validator", jobId);
  if (isLost(journal)) return void (await endLostJob(context, journal, jobId, options));
  const job = await context.market.job(jobId, options);
  const measured = seatOf(job, context.account)
    ? await commit(context, journal, job, setup, options)
    : "this account is not appointed";
  await discardRuns(context, journal);
  if (typeof measured === "string") noteAndReport(context, journal, `abstained, ${measured}`);
  const last = await reveal(context, journal, job, measured, options);
  noteAndReport(context, journal, `ended ${last.state}, verdict ${last.verdict}`);
  await finishWork(context, journal, typeof measured === "string" ? "failed" : "done");
}

/** Ends a validation that cannot be finished: abstains, at no cost, where this account has not committed yet. */
export async function abandonValidation(
  context: WorkerContext,
  jobId: JobId,
  options: Abortable,
): Promise<void> {
  const journal = context.journal.open("validator", jobId);
  const job = await context.market.job(jobId, options);
  const seat = seatOf(job, context.account);
  const pending = seat !== undefined && !seat.abstained && journal.intent("commit") === undefined;
  if (pending && job.state === "Validating" && job.committing) {
    const reason = "trouble of the validator's own";
    await transact(context.market, journal, { kind: "abstain", job, reason }, options).catch(ignoreRefusal);
  }
  await finishWork(context, journal, "failed");
}

/** The contract refuses when another validator has the seat or the job is over: nothing is left to abstain from. */
function ignoreRefusal(error: unknown): void {
  if (!isIchainError(error) || error.class !== "refused") throw error;
}
