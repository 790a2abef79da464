import type { Abortable } from "../../../../async/abort.ts";
import { retryTransient } from "../../../../async/retry.ts";
import type { Journal } from "../../../../ports/journal.ts";
import { type JobId, shortId } from "../../../../protocol/ids.ts";
import { type Job, wasUnanswered } from "../../../../protocol/job/job.ts";
import { isFinal } from "../../../../protocol/job/state.ts";
import type { AuditPolicy } from "../../../../protocol/policy/audit.ts";
import type { RoleContext } from "../../../context.ts";
import { noteAndReport, retryText } from "../../../shared/note.ts";
import { type AdvanceOptions, advance } from "../advance.ts";
import { cancel } from "../posting/cancel.ts";
import { draftOf } from "../posting/draft.ts";
import { declinedIn } from "../take-notice.ts";
import { draftForNext, nextOf, type Successor } from "./next-provider.ts";
import { againOf, draftAgain, mayGoOn } from "./post-again.ts";

/**
 * What follows a job that `advance` has left: the job that was drafted in its place, or why none was; undefined where
 * none is needed. A job that is declined or not answered is cancelled, an abandoned one finished, once the draft is recorded.
 */
export async function successorOf(
  context: RoleContext,
  job: Job,
  policy: AuditPolicy,
  options: Abortable,
): Promise<Successor | undefined> {
  const journal = context.journal.open("requester", job.id);
  const draft = draftOf(journal);
  if (draft === undefined) return undefined;
  const isDeclined = job.state === "Posted" && declinedIn(journal) !== undefined;
  const asksNext = isDeclined || wasUnanswered(job, await context.market.now(options));
  if (!asksNext && !mayGoOn(draft, job)) return undefined;
  const onRetry = (error: Error, pause: number) =>
    noteAndReport(context, journal, retryText(error, pause), "warn");
  const drafting = () =>
    asksNext
      ? draftForNext(context, journal, draft, policy, options)
      : draftAgain(context, job, policy, { asked: false }, options);
  const found = await retryTransient(drafting, onRetry, options).catch((error: Error) => {
    options.signal.throwIfAborted();
    return { why: error.message };
  });
  if (asksNext) await cancel(context, job.id, options);
  else journal.finish("failed");
  return found;
}

/** Advances the jobs that follow `job`, each in the place of the one before; resolves with the last. */
export async function advanceSuccessors(
  context: RoleContext,
  job: Job,
  policy: AuditPolicy,
  advanceOptions: AdvanceOptions,
  options: Abortable,
): Promise<Job> {
  let last = job;
  for (;;) {
    const found = await successorOf(context, last, policy, options);
    if (found === undefined) return last;
    if ("why" in found) {
      const text = `Job ${shortId(last.id)} is not posted again: ${found.why}`;
      context.reporter.emit({ kind: "warn", text });
      return isFinal(last.state) ? last : context.market.job(last.id, options);
    }
    const { next } = found;
    context.reporter.emit({ kind: "info", text: `Job ${shortId(last.id)} goes on as job ${shortId(next)}` });
    last = await advance(context, next, { ...advanceOptions, stopWhenDeclined: true }, options);
  }
}

/** Whether a draft that was made here is to be posted: not before the job in whose place it comes is over. */
export async function turnOf(
  { journal, market }: Pick<RoleContext, "journal" | "market">,
  jobId: JobId,
  after: JobId,
  options: Abortable,
): Promise<"post" | "wait" | "discard"> {
  const before = journal.open("requester", after);
  const { state } = await market.job(after, options);
  if (againOf(before) === jobId) return "post";
  // A crash came between the draft and its record: another draft follows.
  if (nextOf(before) !== jobId) return "discard";
  return state === "Cancelled" ? "post" : state === "Posted" ? "wait" : "discard";
}

/** The jobs of this home before and after one of them that was posted in another's place. */
export interface Links {
  readonly previous?: JobId;
  readonly next?: JobId;
}

type Records = Pick<Journal, "find" | "open">;

export function linksOf(journal: Records, jobId: JobId): Links {
  if (journal.find("requester", jobId) === undefined) return {};
  const record = journal.open("requester", jobId);
  const previous = draftOf(record)?.again?.after;
  const next = [againOf(record), nextOf(record)].find((id) => stageOf(journal, id) === "posted");
  return { ...(previous && { previous }), ...(next && { next }) };
}

/** Whether a job that is over is about to be followed by another one. */
export function isGoingOn(journal: Records, job: Job): boolean {
  const undertaking = journal.find("requester", job.id);
  if (undertaking === undefined) return false;
  const record = journal.open("requester", job.id);
  // A job that was accepted after its provider had declined it may have a draft that is never posted.
  const stage = stageOf(journal, job.state === "Cancelled" ? nextOf(record) : againOf(record));
  if (stage !== undefined) return stage === "drafted";
  const draft = draftOf(record);
  return undertaking.finished === undefined && draft !== undefined && mayGoOn(draft, job);
}

/** How far a job has come that was drafted in another's place; undefined for none, or one that was discarded. */
function stageOf(journal: Records, id: JobId | undefined): "drafted" | "posted" | undefined {
  const undertaking = id && journal.find("requester", id);
  if (id === undefined || undertaking === undefined) return undefined;
  if (journal.open("requester", id).outcome("post") !== undefined) return "posted";
  return undertaking.finished === undefined ? "drafted" : undefined;
}
