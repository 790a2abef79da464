import { rm } from "node:fs/promises";
import { type Abortable, linkSignals } from "../../../async/abort.ts";
import { retryTransient } from "../../../async/retry.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Hosting } from "../../../ports/transport.ts";
import type { Hex, JobId } from "../../../protocol/ids.ts";
import { drawTurnOf } from "../../../protocol/job/exits.ts";
import { type Job, wasAbandoned, wasUnanswered } from "../../../protocol/job/job.ts";
import { isFinal, type JobState } from "../../../protocol/job/state.ts";
import type { RoleContext } from "../../context.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import type { HostedOnce } from "../../shared/host-once.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { endLostJob, isLost } from "../../shared/lost-job.ts";
import { retryText } from "../../shared/note.ts";
import { takeExit } from "../../shared/take-exit.ts";
import { withdrawOwed } from "../../shared/withdraw.ts";
import { answerClaim } from "./answer-claim.ts";
import { appoint } from "./appoint.ts";
import { revealSeed } from "./challenge.ts";
import { collect } from "./collect.ts";
import { handOverExam, hostExam } from "./exam.ts";
import { bundleBlobs, type Draft, draftOf, jobNotOurs } from "./posting/draft.ts";
import { type HostedBundle, hostBundle } from "./posting/host-bundle.ts";
import { post } from "./posting/post.ts";
import { keepCheckpoints } from "./result/keep-checkpoints.ts";
import { openFailure } from "./result/open-report.ts";
import { mayGoOn } from "./successors/post-again.ts";
import { declinedIn, ENDED_STEP, takeNotice } from "./take-notice.ts";

export interface AdvanceOptions {
  /** Stop once the job is in one of these states, for a later `resume` to continue it; a final state always stops. */
  readonly stopAt?: readonly JobState[];
  /** Stop when the provider declines the posted job, or does not accept it in time; `declinedIn` has the notice of the first. */
  readonly stopWhenDeclined?: boolean;
  /** Post and stop: another process hosts the bundle and advances the job. */
  readonly detach?: boolean;
  /** The bundle's hosting where it has begun already; its owner ends it. */
  readonly bundle?: HostedBundle | undefined;
  readonly onState?: (job: Job) => void;
}

/**
 * Advances a job from its present state, with every step of the requester: host, post, collect, appoint, settle or
 * challenge, and the exits where another party missed its step. Safe to stop and to call again at any point.
 * @throws JOB_NOT_OURS, JOB_BUSY
 */
export async function advance(
  context: RoleContext,
  jobId: JobId,
  options: AdvanceOptions,
  abortOptions: Abortable,
): Promise<Job> {
  using _lock = context.lockJob(jobId);
  const onRetry = (error: Error, pause: number) =>
    context.reporter.emit({ kind: "warn", text: retryText(error, pause) });
  return await retryTransient(
    () => advanceOnce(context, jobId, options, abortOptions),
    onRetry,
    abortOptions,
  );
}

async function advanceOnce(
  context: RoleContext,
  jobId: JobId,
  options: AdvanceOptions,
  abortOptions: Abortable,
): Promise<Job> {
  const journal = context.journal.open("requester", jobId);
  const draft = draftOf(journal);
  if (!draft && isLost(journal)) return endLostJob(context, journal, jobId, abortOptions);
  if (!draft) throw jobNotOurs(jobId);
  const declined = new AbortController();
  const onNotice = async (_root: Hex, notice: Uint8Array) => {
    const { kind } = await takeNotice(context, journal, draft, notice);
    if (kind === "declined" && options.stopWhenDeclined) declined.abort();
  };
  await using own = options.bundle ? undefined : hostBundle(context, draft, abortOptions);
  const hosting = () => (options.bundle ?? own!).serve(bundleBlobs(draft), onNotice);
  await using exam = hostExam(context, draft, abortOptions);
  await using checkpoints = keepCheckpoints(context, jobId, draft, abortOptions);
  if (!journal.outcome("post")) {
    if (!options.detach) await hosting();
    await post(context, journal, draft, abortOptions);
  }
  let last: Job | undefined;
  const isDeclined = ({ state }: Job) =>
    options.stopWhenDeclined && state === "Posted" && declinedIn(journal) !== undefined;
  const isUnanswered = async (job: Job) =>
    options.stopWhenDeclined && wasUnanswered(job, await context.market.now(abortOptions));
  const followToEnd = async (following: Abortable) => {
    for await (const job of context.market.follow(jobId, following)) {
      if (last?.state !== job.state) options.onState?.(job);
      last = job;
      if (options.detach || options.stopAt?.includes(job.state) || isDeclined(job)) return;
      if (await isUnanswered(job)) return;
      if (job.state === "Accepted") checkpoints.start();
      await act(context, journal, draft, { job, exam, hosting }, abortOptions);
    }
  };
  using following = linkSignals([abortOptions.signal, declined.signal]);
  try {
    await followToEnd(following);
  } catch (error) {
    if (abortOptions.signal.aborted || !declined.signal.aborted) throw error;
    last = await context.market.job(jobId, abortOptions);
    // A provider may accept all the same what it has declined.
    if (last.state !== "Posted") await followToEnd(abortOptions);
  }
  if (!last) throw jobNotOurs(jobId);
  if (isFinal(last.state)) {
    await withdrawOwed(context, journal, last, abortOptions);
    // An abandoned job can go on elsewhere, from its bundle and its last checkpoint: `tidy` removes those in time.
    if (!wasAbandoned(last)) {
      const hosted = [...bundleBlobs(draft), ...(draft.exam ? [draft.exam.blob] : [])];
      for (const { path } of hosted)
        for (const one of [path, `${path}.leaves`]) await rm(one, { force: true });
      await rm(jobFolder(context.jobsDir, "requester", jobId).checkpoint, { recursive: true, force: true });
    }
    await journal.step(ENDED_STEP, { prepare: () => last!.state, act: (state) => state });
    if (!mayGoOn(draft, last)) journal.finish(last.state === "Settled" ? "done" : "failed");
  }
  return last;
}

async function act(
  context: RoleContext,
  journal: JobJournal,
  draft: Draft,
  { job, exam, hosting }: { job: Job; exam: HostedOnce | undefined; hosting: () => Promise<Hosting> },
  abortOptions: Abortable,
): Promise<void> {
  // Answer a claim first, without regard to time: `settle` pays, and the node's time may be wrong.
  if (job.state === "Claimed" && (await answerClaim(context, journal, { job, draft }, abortOptions))) return;
  if (await takeExit(context, journal, job, abortOptions)) return;
  // While a job runs, its provider may have a notice to leave.
  if (job.state === "Posted" || job.state === "Accepted" || job.state === "Validating") await hosting();
  const now = await context.market.now(abortOptions);
  if (drawTurnOf(job, now) === "requester") await revealSeed(context, journal, { job, draft }, abortOptions);
  const { deadline = Number.POSITIVE_INFINITY } = job;
  if (job.state === "Submitted" && job.terms.validators > 0 && now <= deadline) {
    await collectAndAppoint(context, journal, { job, draft, hosting, exam }, abortOptions);
  }
  if (job.state === "Validating" && exam) {
    await exam.start();
    await handOverExam(context, journal, { job, draft, hosting: exam }, abortOptions);
  }
}

/** Stops at the end of the appoint window: the provider then draws validators, and `follow` yields the job again. */
async function collectAndAppoint(
  context: RoleContext,
  journal: JobJournal,
  {
    job,
    draft,
    hosting,
    exam,
  }: { job: Job; draft: Draft; hosting: () => Promise<Hosting>; exam: HostedOnce | undefined },
  abortOptions: Abortable,
): Promise<void> {
  const { deadline = Number.POSITIVE_INFINITY } = job;
  using clock = chainDeadline(deadline, context.market, abortOptions.signal);
  try {
    const collected = await collect(context, journal, job, draft.spec.resources, clock);
    const author = draft.provider.keys.fingerprint;
    await openFailure(context, journal, { jobId: job.id, collected, author }, clock);
    await appoint(context, journal, { job, draft, collected, hosting: await hosting(), exam }, abortOptions);
  } catch (error) {
    if (
      abortOptions.signal.aborted ||
      (!clock.expired && (await context.market.now(abortOptions)) <= deadline)
    )
      throw error;
  }
}
