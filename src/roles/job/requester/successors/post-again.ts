import { rm } from "node:fs/promises";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { JobId } from "../../../../protocol/ids.ts";
import { costOfAbandoned, type Job, wasAbandoned } from "../../../../protocol/job/job.ts";
import { lockedBy } from "../../../../protocol/job/terms.ts";
import type { AuditPolicy } from "../../../../protocol/policy/audit.ts";
import { isOwnExitCode } from "../../../../protocol/task/failure.ts";
import type { RoleContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { bundleBlobs, type Draft, openDraft } from "../posting/draft.ts";
import { draftJob } from "../posting/draft-job.ts";
import { placeBundle } from "../posting/host-bundle.ts";
import { noticeIn } from "../take-notice.ts";
import { planForNext, type Successor } from "./next-provider.ts";
import { addCheckpoint, unpackDraft, withCheckpoint } from "./unpack-draft.ts";

const STEP = "again";

/** Whether an abandoned job goes on by itself: its owner said how often it may. */
export function mayGoOn(draft: Draft, job: Job): boolean {
  return wasAbandoned(job) && (draft.again?.failovers ?? 0) > 0;
}

/**
 * Drafts an abandoned job for the next best provider, from its own bundle and the newest checkpoint that is held here,
 * for no more than is left of what the first one could cost. Resolves with the new job's id, the same one at every call,
 * or with why there is none. `asked` when its owner asks for it now, whatever was said before.
 * @throws JOB_NOT_OURS
 */
export async function draftAgain(
  context: RoleContext,
  job: Job,
  policy: AuditPolicy,
  { asked }: { asked: boolean },
  options: Abortable,
): Promise<Successor> {
  const { journal, draft } = openDraft(context.journal, job.id);
  const known = againOf(journal);
  if (known !== undefined) {
    await removePacked(context, job.id, draft);
    return { next: known };
  }
  const { again, terms } = draft;
  if (again === undefined) return { why: "its job.yaml is not recorded here" };
  const { failovers = 0, until, file } = again;
  if (!asked && failovers <= 0) return { why: "it may not be posted again by itself" };
  if (!asked && isTasksFault(journal)) return { why: "its task failed there by its own doing" };
  const passed = [...again.passed, terms.provider];
  const most = (again.most ?? lockedBy(terms)) - costOfAbandoned(job);
  const plan = await planForNext(context, { file, passed, most }, policy, options);
  if ("why" in plan) return plan;
  const late = until !== undefined && (await context.market.now(options)) + plan.outline.windows.run > until;
  if (late) return { why: "its run could no longer end in time" };
  const place = await placeBundle(context, plan, options);
  const next = await unpackDraft(context, draft, options, async (folders) => {
    const number = await addCheckpoint(context, { jobId: job.id, draft, folder: folders.folder }, options);
    if (number !== undefined) noteAndReport(context, journal, `it goes on from checkpoint ${number}`);
    return draftJob(
      context,
      {
        ...{ file: withCheckpoint(file, folders.folder), ...folders, plan, place },
        again: {
          ...{ ...again, failovers: Math.max(0, failovers - 1), passed, most, after: job.id },
          asked: [...(again.asked ?? []), job.id],
        },
      },
      options,
    );
  });
  await journal.step(STEP, { prepare: () => next, act: (id) => id });
  await removePacked(context, job.id, draft);
  return { next };
}

/** Removes what the job that follows was packed from. */
async function removePacked(
  { jobsDir }: Pick<RoleContext, "jobsDir">,
  jobId: JobId,
  draft: Draft,
): Promise<void> {
  const { exam, checkpoint } = jobFolder(jobsDir, "requester", jobId);
  for (const path of [...bundleBlobs(draft).map((blob) => blob.path), exam])
    for (const one of [path, `${path}.leaves`]) await rm(one, { force: true });
  await rm(checkpoint, { recursive: true, force: true });
}

/** The job that was drafted in the place of an abandoned one; undefined where none was. The intent is all of it. */
export function againOf(journal: Pick<JobJournal, "intent">): JobId | undefined {
  return journal.intent<JobId>(STEP);
}

/** Whether the provider says that the task failed in a way that it would anywhere. */
function isTasksFault(journal: Pick<JobJournal, "outcome">): boolean {
  const run = noticeIn(journal)?.run;
  if (run === undefined) return false;
  return run.ended === "exit"
    ? isOwnExitCode(run.exitCode)
    : ["memory", "disk", "output"].includes(run.ended);
}
