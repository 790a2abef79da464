import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { HostIdentity } from "../../../ports/transport.ts";
import type { JobId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { isFinal } from "../../../protocol/job/state.ts";
import { type Refusal, refuse } from "../../../protocol/policy/refusal.ts";
import { forJob, type WorkerContext } from "../../context.ts";
import type { Duty } from "../../daemon/daemon.ts";
import { type Machine, openSlots } from "../../daemon/slots.ts";
import type { HostedOnce } from "../../shared/host-once.ts";
import { endLostJob, isLost } from "../../shared/lost-job.ts";
import { noteAndReport } from "../../shared/note.ts";
import { withdrawOwed } from "../../shared/withdraw.ts";
import { isHalfFetched } from "../../task/await-host.ts";
import { endLog } from "../../task/log-keeper.ts";
import { releaseGpus } from "../../task/reserve-gpus.ts";
import { discardRuns, finishWork, removeFiles } from "../../task/run-task.ts";
import {
  type Accepted,
  accept,
  asRefusal,
  awaitBundleHost,
  isRefusal,
  type ProviderSetup,
  refuseDraining,
} from "./accept.ts";
import { deliver, hostResult } from "./deliver.ts";
import { leaveNotice, sealEnd } from "./leave-notice.ts";
import type { Packed } from "./pack-result.ts";
import { produce } from "./produce.ts";
import { release } from "./release.ts";
import { shareRun } from "./sharing/share-run.ts";
import { ENDED, TOO_LATE, withinRunWindow } from "./within-run-window.ts";

/** Notices of declined jobs under way at once: each is a connection to a host that a stranger named. */
const DECLINES = 4;

/** What `ichain provide` does: it works on every posted job that names this account. */
export function provideDuty(context: WorkerContext, setup: ProviderSetup): Duty {
  const { market, account } = context;
  return {
    role: "provider",
    watch: (options) => market.watch({ provider: account }, options),
    wants: (job) => job.state === "Posted",
    work: (jobId, options) => runJob(forJob(context, jobId), jobId, setup, options),
    giveUp: (jobId, options) => abandonJob(forJob(context, jobId), jobId, options),
    policyChanged: () => setup.slots.resize(setup.policy.maxJobs),
  };
}

/**
 * What the jobs of a provider, of every kind, share: its policy and machine as they are now, and its places on the whole
 * machine, which are unbounded without one.
 */
export function setupOf(machine: Omit<ProviderSetup, "slots" | "declines">, whole?: Machine): ProviderSetup {
  const slots = openSlots(machine.policy.maxJobs, whole);
  // Read at each use: both may change while a job waits or runs.
  return {
    get policy() {
      return machine.policy;
    },
    get machine() {
      return machine.machine;
    },
    get draining() {
      return machine.draining ?? false;
    },
    ...{ report: machine.report, disk: machine.disk, readChain: machine.readChain },
    ...{ slots, declines: openSlots(DECLINES) },
  };
}

interface Made {
  readonly kind: "made";
  readonly job: Job;
  readonly accepted: Accepted;
  readonly packed: Packed;
  readonly hosting: HostedOnce;
}

/** Why there is no result. */
type Unmade =
  | { readonly kind: "declined"; readonly job: Job; readonly refusal: Refusal }
  | { readonly kind: "failed"; readonly job: Job; readonly reason: string }
  | { readonly kind: "over"; readonly job: Job };

/** One job from posted to paid, as its provider; safe to call again after a crash at any point. */
export async function runJob(
  context: WorkerContext,
  jobId: JobId,
  setup: ProviderSetup,
  options: Abortable,
): Promise<void> {
  const journal = context.journal.open("provider", jobId);
  const fail = () => finishWork(context, journal, "failed");
  if (isLost(journal)) {
    await endLostJob(context, journal, jobId, options);
    return fail();
  }
  if (journal.intent("release") !== undefined) {
    const reason = "as recorded";
    await release(context, journal, await context.market.job(jobId, options), { reason }, options);
    noteAndReport(context, journal, "given back");
    return fail();
  }
  await using log = new AsyncDisposableStack();
  const made = await make(context, journal, jobId, { setup, log }, options);
  if (made.kind !== "made") {
    await endUnmade(context, journal, made, setup, options);
    return fail();
  }
  await discardRuns(context, journal);
  const { job, ...result } = made;
  const delivered = await deliver(context, journal, job, { ...result, policy: setup.policy }, options);
  if (delivered === ENDED) {
    await endUnmade(context, journal, await over(context, jobId, options), setup, options);
    return fail();
  }
  if (delivered === TOO_LATE) {
    await giveBack(context, journal, { job, reason: TOO_LATE }, setup, options);
    return fail();
  }
  const { job: last, keep } = delivered;
  noteAndReport(context, journal, `ended ${last.state}${keep ? "; its result is still served" : ""}`);
  await log.disposeAsync();
  await keep?.(options);
  await finishWork(context, journal, last.state === "Settled" ? "done" : "failed");
}

/**
 * Accepts the job and makes its result, in one of the machine's slots; resolves with the reason where there is no
 * result. What the task prints and its checkpoints are served until `log` is disposed.
 */
async function make(
  context: WorkerContext,
  journal: JobJournal,
  jobId: JobId,
  { setup, log }: { setup: ProviderSetup; log: AsyncDisposableStack },
  options: Abortable,
): Promise<Made | Unmade> {
  const { market } = context;
  const before = journal.outcome<Packed>("pack");
  const packedBefore = before !== undefined;
  const atRisk = journal.intent("accept") !== undefined;
  if (setup.draining && !atRisk) {
    return { kind: "declined", job: await market.job(jobId, options), refusal: refuseDraining() };
  }
  if (isHalfFetched(journal, "bundle")) {
    const job = await market.job(jobId, options);
    const refusal = await awaitBundleHost(context, journal, job, options);
    if (refusal) return { kind: "declined", job, refusal };
  }
  using place = packedBefore ? undefined : await setup.slots.take({ ...options, atRisk });
  const posted = await market.job(jobId, options);
  const accepted = await accept(context, journal, posted, { setup, place }, options).catch(
    (error: unknown) => {
      const refusal = journal.intent("accept") === undefined ? asRefusal(error) : undefined;
      if (refusal) return refusal;
      throw error;
    },
  );
  if (isRefusal(accepted)) return { kind: "declined", job: posted, refusal: accepted };
  const job = await market.job(jobId, options);
  if (isFinal(job.state) && journal.intent("submit") === undefined) return { kind: "over", job };
  const identity = before?.identity ?? (await hostIdentity(context, journal));
  await using stack = new AsyncDisposableStack();
  const hosting = stack.use(hostResult(context, { job, accepted, identity, packed: before }, options));
  // `deliver` starts it again if this fails.
  if (!packedBefore) hosting.start().catch(() => undefined);
  const requester = { account: job.terms.requester, keys: accepted.bundle.requester };
  const { checkpoint = 0 } = accepted.bundle.spec.resources;
  const shown = packedBefore
    ? { maxChars: 0, checkpointBytes: 0 }
    : { maxChars: setup.policy.liveLog, checkpointBytes: checkpoint };
  log.use(shareRun(context, journal, { jobId, requester, ...shown }, options));
  const working = (bounded: Abortable) =>
    produce(context, journal, job, { ...accepted, identity }, setup, bounded);
  const packed = await (packedBefore
    ? working(options)
    : withinRunWindow(context, journal, job, working, options)
  ).finally(() => releaseGpus(context, journal));
  endLog(journal);
  if (packed === ENDED) return over(context, jobId, options);
  if (typeof packed === "string") return { kind: "failed", job, reason: packed };
  stack.move();
  return { kind: "made", job, accepted, packed, hosting };
}

async function over({ market }: WorkerContext, jobId: JobId, options: Abortable): Promise<Unmade> {
  return { kind: "over", job: await market.job(jobId, options) };
}

function hostIdentity({ transport }: WorkerContext, journal: JobJournal): Promise<HostIdentity> {
  return journal.step("identity", { prepare: () => transport.newIdentity(), act: (identity) => identity });
}

/** Tells people here and the requester why there is no result, and gives an accepted job back. */
async function endUnmade(
  context: WorkerContext,
  journal: JobJournal,
  unmade: Unmade,
  setup: ProviderSetup,
  options: Abortable,
): Promise<void> {
  const { job } = unmade;
  if (unmade.kind === "over") {
    noteAndReport(context, journal, `ended ${job.cause ?? job.state}`);
    return withdrawOwed(context, journal, job, options);
  }
  if (unmade.kind === "failed") return giveBack(context, journal, unmade, setup, options);
  const { refusal } = unmade;
  await removeFiles(context, journal); // before the notice, which may wait for a host: the disk may be full
  noteAndReport(context, journal, `not accepted (${refusal.code}), ${refusal.reason}`);
  if (job.state !== "Posted" || refusal.code === "NOT_POSTED") return;
  using _turn = await setup.declines.take(options);
  await leaveNotice(context, journal, job, { kind: "declined", refusal }, options);
}

/** Gives an accepted job back and tells its requester how the run ended, first unless that would make it late. */
async function giveBack(
  context: WorkerContext,
  journal: JobJournal,
  { job, reason }: { job: Job; reason: string },
  { policy }: ProviderSetup,
  options: Abortable,
): Promise<void> {
  // The log is not paid for: no more of its end is shown than the live log shows of its beginning.
  const said = { kind: "failed", refusal: refuse("RUN_FAILED", reason), logChars: policy.liveLog } as const;
  const tell = () => leaveNotice(context, journal, job, said, options);
  const told = reason !== TOO_LATE && (await tell());
  // A requester that is away finds the end of the log on the chain. A job is given back in time with or without it.
  const sealedLog = told
    ? undefined
    : await sealEnd(context, journal, job, policy.liveLog).catch(() => undefined);
  await release(context, journal, job, { reason, sealedLog }, options);
  if (reason === TOO_LATE) await tell();
  noteAndReport(context, journal, `given back, ${reason}`);
}

/** Gives back a job that was accepted and not submitted: that costs nothing, a missed deadline costs the stake. */
export async function abandonJob(context: WorkerContext, jobId: JobId, options: Abortable): Promise<void> {
  const journal = context.journal.open("provider", jobId);
  if (journal.intent("accept") !== undefined && journal.intent("submit") === undefined) {
    const job = await context.market.job(jobId, options);
    if (job.state === "Accepted") {
      const reason = "trouble of the provider's own";
      const refusal = refuse("RUN_FAILED", reason);
      await leaveNotice(context, journal, job, { kind: "failed", refusal }, options);
      await release(context, journal, job, { reason }, options);
    }
  }
  await finishWork(context, journal, "failed");
}
