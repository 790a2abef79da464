import { rm } from "node:fs/promises";
import type { Abortable } from "../../../async/abort.ts";
import { retryTransient } from "../../../async/retry.ts";
import type { IchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Hosting } from "../../../ports/transport.ts";
import type { JobId } from "../../../protocol/ids.ts";
import { drawTurnOf } from "../../../protocol/job/exits.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { isFinal, type JobState } from "../../../protocol/job/state.ts";
import { tokenFor } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import { hostOnce } from "../../shared/host-once.ts";
import { leave } from "../../shared/leave.ts";
import { isLost, seeOut } from "../../shared/see-out.ts";
import { withdrawOwed } from "../../shared/withdraw.ts";
import { answerClaim } from "./answer-claim.ts";
import { appoint } from "./appoint.ts";
import { revealSeed } from "./challenge.ts";
import { collect } from "./collect.ts";
import { type Draft, draftOf } from "./posting/draft.ts";
import { post } from "./posting/post.ts";
import { unknownDraft } from "./posting/unknown-draft.ts";

export interface AdvanceOptions {
  /** Stop (leaving the job to a later `resume`) once it is in one of these states; final always stops. */
  readonly stopAt?: readonly JobState[];
  readonly onState?: (job: Job) => void;
}

/**
 * Brings a job from wherever it stands towards its end, doing each thing that is the requester's to do:
 * host, post, collect, appoint, accept or challenge, and every exit when somebody else stays silent. Safe to stop and to
 * start again at any point.
 */
export function advance(
  context: RoleContext,
  jobId: JobId,
  options: AdvanceOptions,
  abortOptions: Abortable,
): Promise<Job> {
  const retrying = (error: IchainError, pause: number) =>
    context.reporter.emit({ kind: "warn", text: `${error.message} Trying again in ${pause} s.` });
  return retryTransient(() => carryOnce(context, jobId, options, abortOptions), retrying, abortOptions);
}

async function carryOnce(
  context: RoleContext,
  jobId: JobId,
  options: AdvanceOptions,
  abortOptions: Abortable,
): Promise<Job> {
  const journal = context.journal.open("requester", jobId);
  const draft = draftOf(journal);
  if (!draft && isLost(journal)) return seeOut(context, journal, jobId, abortOptions);
  if (!draft) throw unknownDraft(jobId);
  await using bundle = hostOnce(
    context,
    "bundle",
    () => ({ identity: draft.identity, blobs: [draft.bundle], readers: readersOf(draft) }),
    abortOptions,
  );
  if (!journal.outcome("post")) {
    await bundle.start();
    await post(context, journal, draft, abortOptions);
  }
  let last: Job | undefined;
  for await (const job of context.market.follow(jobId, abortOptions)) {
    if (last?.state !== job.state) options.onState?.(job);
    last = job;
    if (options.stopAt?.includes(job.state)) break;
    await act(context, journal, draft, job, () => bundle.start(), abortOptions);
  }
  if (!last) throw unknownDraft(jobId);
  if (isFinal(last.state)) {
    await withdrawOwed(context, journal, last, abortOptions);
    for (const path of [draft.bundle.path, `${draft.bundle.path}.leaves`]) await rm(path, { force: true });
    journal.finish(last.state === "Settled" ? "done" : "failed");
  }
  return last;
}

async function act(
  context: RoleContext,
  journal: JobJournal,
  draft: Draft,
  job: Job,
  hosting: () => Promise<Hosting>,
  abortOptions: Abortable,
): Promise<void> {
  // First of all, whatever the clock says: `settle` pays, and the clock of this machine or of its node may be wrong.
  if (job.state === "Claimed" && (await answerClaim(context, journal, { job, draft }, abortOptions))) return;
  if (await leave(context, journal, job, abortOptions)) return;
  if (job.state === "Posted" || job.state === "Validating") await hosting();
  const now = await context.market.now(abortOptions);
  if (drawTurnOf(job, now) === "requester") await revealSeed(context, journal, { job, draft }, abortOptions);
  const { deadline = Number.POSITIVE_INFINITY } = job;
  if (job.state === "Submitted" && job.terms.validators > 0 && now <= deadline) {
    await collectAndAppoint(context, journal, { job, draft, hosting }, abortOptions);
  }
}

/** Until the window is over: then the provider has validators drawn, and `follow` tells of the job once more. */
async function collectAndAppoint(
  context: RoleContext,
  journal: JobJournal,
  { job, draft, hosting }: { job: Job; draft: Draft; hosting: () => Promise<Hosting> },
  abortOptions: Abortable,
): Promise<void> {
  const { deadline = Number.POSITIVE_INFINITY } = job;
  using clock = chainDeadline(deadline, context.market, abortOptions.signal);
  try {
    const collected = await collect(context, journal, job, draft.spec.resources, clock);
    await appoint(context, journal, { job, draft, collected, hosting: await hosting() }, abortOptions);
  } catch (error) {
    if (
      abortOptions.signal.aborted ||
      (!clock.expired && (await context.market.now(abortOptions)) <= deadline)
    )
      throw error;
  }
}

/**
 * Validators are let in from the start, though they hear of it only from `appoint`: it costs nothing, and a
 * host that changes its readers is out of reach for a moment.
 */
function readersOf({ provider, validators, identity }: Draft) {
  return [provider, ...validators].map(({ keys }) => ({
    ...keys,
    token: tokenFor(identity.endpoint.token, keys.fingerprint),
  }));
}
