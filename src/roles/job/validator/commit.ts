import type { Abortable } from "../../../async/abort.ts";
import { retryTransient, retryUnavailable } from "../../../async/retry.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { SandboxReport } from "../../../ports/sandbox.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { guestKey } from "../../../protocol/job/exchange.ts";
import { type Job, seatOf } from "../../../protocol/job/job.ts";
import { type Measurement, measurementCommitment } from "../../../protocol/job/measurement.ts";
import { decodeLocator, type ValidationLocator } from "../../../protocol/parcel/locator.ts";
import { type Policy, refuseTerms } from "../../../protocol/policy/policy.ts";
import type { WorkerContext } from "../../context.ts";
import type { Slots } from "../../daemon/slots.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import { chainFacts } from "../../shared/chain-facts.ts";
import { isStorageTrouble, noteIfPossible } from "../../shared/note.ts";
import { transact } from "../../shared/transact.ts";
import type { DiskBudget } from "../../task/kept/disk-budget.ts";
import { endLog } from "../../task/log-keeper.ts";
import { measure, measurementOfNothing, type Waiting } from "./measure.ts";
import { measureFailed, SILENT_MS } from "./open-delivered.ts";

/** Between the end of the work and the deadline to commit, for the transaction. */
const MARGIN_SECONDS = 30;

/** A validator's policy and its machine, as they are now: `ichain reload` and `ichain drain` change them. */
export interface ValidatorSetup {
  readonly policy: Policy;
  readonly report: SandboxReport;
  /** True once no more results are to be measured. */
  readonly draining?: boolean;
  /** Absent where the home may hold whatever the disk does. */
  readonly disk?: DiskBudget | undefined;
  /** For jobs whose bundle is fetched or whose task runs. */
  readonly slots: Slots;
}

export interface Committed {
  /** Absent where the provider never sent it. */
  readonly locator: ValidationLocator | undefined;
  readonly measurement: Measurement;
}

/** Measures the result and commits to the measurement; resolves with the reason where the validator abstained. */
export async function commit(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { policy, slots, draining, disk }: ValidatorSetup,
  options: Abortable,
): Promise<Committed | string> {
  const { market } = context;
  const abstain = async (reason: string) => {
    await transact(market, journal, { kind: "abstain", job, reason }, options);
    return reason;
  };
  const commitTo = async (measurement: Measurement, locator?: ValidationLocator) => {
    endLog(journal);
    const commitment = measurementCommitment(job.id, context.account, measurement);
    await transact(market, journal, { kind: "commit", job, commitment }, options);
    return { locator, measurement };
  };
  if (journal.intent("abstain") !== undefined) return abstain("as recorded");
  if (draining && journal.intent("locator") === undefined)
    return abstain("it measures no more before it stops");
  const full = journal.intent("locator") === undefined ? await disk?.refuse(0) : undefined;
  if (full) return abstain(full.reason);
  const facts = await chainFacts(market, options);
  const refused = refuseTerms(policy, job.terms, "validator", await market.now(options), facts);
  if (refused && journal.intent("commit") === undefined) return abstain(refused.reason);
  const deadline = job.deadline ?? Number.POSITIVE_INFINITY;
  using clock = chainDeadline(deadline, market, options.signal, MARGIN_SECONDS);
  const disputed = job.round !== "first";
  const waiting: Waiting = { queued: false };
  try {
    const locator = await journal.step("locator", {
      prepare: () => sealedLocator(context, job, clock),
      act: async (sealed) => asGuest(decodeLocator(await context.keyring.unseal(sealed), "validation")),
    });
    const measuring = () => measure(context, journal, { job, locator, policy, slots, waiting }, clock);
    const onRetry = (error: Error) => noteIfPossible(journal, `${error.message} Trying again.`);
    return await commitTo(
      await (disputed
        ? retryTransient(measuring, onRetry, clock)
        : retryUnavailable(measuring, clock, SILENT_MS)),
      locator,
    );
  } catch (error) {
    if (options.signal.aborted || journal.intent("commit") !== undefined) throw error;
    if (disputed && (isHostile(error) || (clock.expired && !wasServed(journal, waiting)))) {
      // No later round follows a dispute: a provider that serves no validator must not end it without a verdict.
      return commitTo(await measurementOfNothing(journal));
    }
    if (clock.expired) return abstain("the measurement took longer than the commit window");
    // A full disk or a busy database is this machine's trouble, not the job's: try again later.
    if (isStorageTrouble(error)) throw error;
    if (isIchainError(error) && error.class !== "internal") {
      return abstain(typeof error.details.why === "string" ? error.details.why : error.code);
    }
    throw error;
  }
}

/** The locator sealed to this account: from the appointment, or once the provider has handed it over. */
async function sealedLocator(context: WorkerContext, job: Job, options: Abortable): Promise<Hex> {
  for await (const now of context.market.follow(job.id, options)) {
    const sealed = seatOf(now, context.account)?.sealed;
    if (sealed !== undefined && sealed !== "0x") return sealed;
  }
  throw measureFailed("the job ended before it was handed over");
}

/** Validators open the provider's address with the guest key; it serves the bundle too where the provider sent this. */
function asGuest(locator: ValidationLocator): ValidationLocator {
  const { bundle, mask } = locator;
  const result = { ...locator.result, guestKey: guestKey(mask) };
  const sameHost = bundle.transport === result.transport && bundle.address === result.address;
  return { ...locator, result, bundle: sameHost ? { ...bundle, guestKey: result.guestKey } : bundle };
}

/** True when the provider's host answers with other bytes than it committed to. */
function isHostile(error: unknown): boolean {
  return isIchainError(error) && error.class === "untrusted" && error.code.startsWith("TRANSFER_");
}

/** True when the provider served its result in time, or when this machine had no slot to fetch it in. */
function wasServed(journal: JobJournal, { queued }: Waiting): boolean {
  return journal.outcome("capsule") !== undefined && (queued || journal.outcome("delivered") !== undefined);
}
