import { rm } from "node:fs/promises";
import type { Abortable } from "../../../async/abort.ts";
import { retryTransient } from "../../../async/retry.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { SandboxReport } from "../../../ports/sandbox.ts";
import { type Hex, type JobId, sameAddress, shortId } from "../../../protocol/ids.ts";
import type { Job, Validation } from "../../../protocol/job/job.ts";
import { type Measurement, measurementCommitment } from "../../../protocol/job/measurement.ts";
import { isFinal } from "../../../protocol/job/state.ts";
import { decodeLocator, type ValidationLocator } from "../../../protocol/parcel/locator.ts";
import { type Policy, refuseTerms } from "../../../protocol/policy/policy.ts";
import type { WorkerContext } from "../../context.ts";
import type { Slots } from "../../daemon/slots.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import { chainFacts } from "../../shared/chain-facts.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { isStorageTrouble, noteIfPossible } from "../../shared/note.ts";
import { isLost, seeOut } from "../../shared/see-out.ts";
import { transact } from "../../shared/transact.ts";
import { withdrawOwed } from "../../shared/withdraw.ts";
import { endLog } from "../../task/log-keeper.ts";
import { discardRuns } from "../../task/run-task.ts";
import { measure, measurementOfNothing } from "./measure.ts";
import { measureFailed } from "./measure-failed.ts";
import { providerMeasurement } from "./provider-measurement.ts";

/** Left between the end of our work and the commit deadline, for the transaction itself. */
const MARGIN_SECONDS = 30;

export interface ValidatorSetup {
  readonly policy: Policy;
  readonly report: SandboxReport;
  /** For jobs that are fetched or run. */
  readonly slots: Slots;
}

/** One validation from appointment to fee; resolves when nothing is left to do. */
export async function validate(
  context: WorkerContext,
  jobId: JobId,
  bench: ValidatorSetup,
  options: Abortable,
): Promise<void> {
  const journal = context.journal.open("validator", jobId);
  const say = (text: string) => {
    journal.note(text);
    context.reporter.emit({ kind: "info", text: `Job ${shortId(jobId)}: ${text}` });
  };
  if (isLost(journal)) return void (await seeOut(context, journal, jobId, options));
  const job = await context.market.job(jobId, options);
  const mine = validationOf(context, job);
  const measured = mine
    ? await commit(context, journal, job, bench, options)
    : "this account is not appointed";
  await discardRuns(context, journal);
  if (typeof measured === "string") say(`abstained, ${measured}`);
  const last = await reveal(context, journal, job, measured, options);
  say(`ended ${last.state}, verdict ${last.verdict}`);
  await end(context, journal, typeof measured === "string" ? "failed" : "done");
}

/** Who has not committed abstains, which costs nothing. */
export async function abandonValidation(
  context: WorkerContext,
  jobId: JobId,
  options: Abortable,
): Promise<void> {
  const journal = context.journal.open("validator", jobId);
  const job = await context.market.job(jobId, options);
  const mine = validationOf(context, job);
  const seated = mine !== undefined && !mine.abstained && journal.intent("commit") === undefined;
  if (seated && job.state === "Validating" && job.committing) {
    const reason = "trouble of the validator's own";
    await transact(context.market, journal, { kind: "abstain", job, reason }, options).catch(movedOn);
  }
  await end(context, journal, "failed");
}

/** The seat is taken or the job is over: nothing is left to abstain from. */
function movedOn(error: unknown): void {
  if (!isIchainError(error) || error.class !== "refused") throw error;
}

async function end(context: WorkerContext, journal: JobJournal, result: "done" | "failed"): Promise<void> {
  await discardRuns(context, journal);
  const { dir } = jobFolder(context.jobsDir, "validator", journal.key as JobId);
  await rm(dir, { recursive: true, force: true });
  journal.finish(result);
}

interface Committed {
  /** Absent where the provider never said where its result is. */
  readonly locator: ValidationLocator | undefined;
  readonly measurement: Measurement;
}

/** Measures and commits; a string is the reason of an abstention. */
async function commit(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { policy, slots }: ValidatorSetup,
  options: Abortable,
): Promise<Committed | string> {
  const abstain = async (reason: string) => {
    await transact(context.market, journal, { kind: "abstain", job, reason }, options);
    return reason;
  };
  const commitTo = async (measurement: Measurement, locator?: ValidationLocator) => {
    endLog(journal);
    const commitment = measurementCommitment(job.id, context.account, measurement);
    await transact(context.market, journal, { kind: "commit", job, commitment }, options);
    return { locator, measurement };
  };
  if (journal.intent("abstain") !== undefined) return abstain("as recorded");
  const { market } = context;
  const facts = await chainFacts(market, options);
  const refused = refuseTerms(policy, job.terms, "validator", await market.now(options), facts);
  if (refused && journal.intent("commit") === undefined) return abstain(refused.reason);
  using clock = chainDeadline(
    job.deadline ?? Number.POSITIVE_INFINITY,
    context.market,
    options.signal,
    MARGIN_SECONDS,
  );
  const inTime = { signal: clock.signal };
  const disputed = job.round !== "first";
  try {
    const locator = await journal.step("locator", {
      prepare: () => handedOver(context, job, inTime),
      act: async (sealed) => decodeLocator(await context.keyring.unseal(sealed), "validation"),
    });
    const sources = { job, locator, policy, slots };
    const measuring = () => measure(context, journal, sources, inTime);
    const again = (error: Error) => noteIfPossible(journal, `${error.message} Trying again.`);
    return await commitTo(await (disputed ? retryTransient(measuring, again, inTime) : measuring()), locator);
  } catch (error) {
    if (options.signal.aborted || journal.intent("commit") !== undefined) throw error;
    if (disputed && (isHostile(error) || (clock.expired && !wasServed(journal)))) {
      // No later round would find out: a provider that serves nobody must not end a dispute without a verdict.
      return commitTo(await measurementOfNothing(journal));
    }
    if (clock.expired) return abstain("the measurement took longer than the commit window");
    // A database of ours that is full or in use for a while says nothing of the job.
    if (isStorageTrouble(error)) throw error;
    if (isIchainError(error) && error.class !== "internal") {
      return abstain(typeof error.details.why === "string" ? error.details.why : error.code);
    }
    throw error;
  }
}

/** The locator sealed to us: from the appointment, or once the provider has handed it over. */
async function handedOver(context: WorkerContext, job: Job, options: Abortable): Promise<Hex> {
  for await (const now of context.market.follow(job.id, options)) {
    const sealed = validationOf(context, now)?.sealed;
    if (sealed !== undefined && sealed !== "0x") return sealed;
  }
  throw measureFailed("the job ended before it was handed over");
}

/** What the provider's host answers is not what it committed to. */
function isHostile(error: unknown): boolean {
  return isIchainError(error) && error.class === "untrusted" && error.code.startsWith("TRANSFER_");
}

/** Whether the provider let us have its result; a place that we did not find for it is our own trouble. */
function wasServed(journal: JobJournal): boolean {
  const begun = journal.intent("bundle") !== undefined;
  return journal.outcome("capsule") !== undefined && !(begun && journal.outcome("delivered") === undefined);
}

/** Reveals once nobody can commit any more, then waits for the end and fetches the fee. */
async function reveal(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  measured: Committed | string,
  options: Abortable,
): Promise<Job> {
  let last = job;
  for await (const now of context.market.follow(job.id, options)) {
    last = now;
    const open = now.state === "Validating" && !now.committing;
    if (open && typeof measured !== "string" && validationOf(context, now)?.measurement === undefined) {
      const providers =
        now.providerMeasurement ??
        (measured.locator &&
          (await providerMeasurement(context, journal, { job: now, locator: measured.locator }, options)));
      await transact(
        context.market,
        journal,
        { kind: "reveal", job: now, own: measured.measurement, providers },
        options,
      );
    }
    if (isFinal(now.state) || typeof measured === "string") break;
  }
  if (isFinal(last.state)) await withdrawOwed(context, journal, last, options);
  return last;
}

function validationOf({ account }: WorkerContext, job: Job): Validation | undefined {
  return job.validations.find(({ validator }) => sameAddress(validator, account));
}
