import type { Abortable } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import { failureText } from "../../protocol/task/failure.ts";
import type { RoleContext } from "../../roles/context.ts";
import { resultContents } from "../../roles/job/requester/result/contents.ts";
import { getResult, type RetrievedResult } from "../../roles/job/requester/result/get.ts";
import { openedReport } from "../../roles/job/requester/result/open-report.ts";
import { noticeIn } from "../../roles/job/requester/take-notice.ts";
import { bytes } from "../../ui/format.ts";
import type { Ui } from "../../ui/ui.ts";
import { contentsData, contentsText } from "./contents.ts";

/** Where a result goes unless --out names a folder: one named after the job, in the working directory. */
export function resultFolder(jobId: JobId): string {
  return `result-${shortId(jobId)}`;
}

/**
 * Opens the result of a job that is final.
 * @throws JOB_FAILED when there is none
 */
export async function openFinal(
  role: RoleContext,
  job: Job,
  folder: string,
  options: Abortable,
): Promise<RetrievedResult> {
  if (job.state !== "Settled") throw ended(job, await failureOf(role, job));
  return await getResult(role, job.id, folder, options);
}

/** The same, and prints where it is. */
export async function finished(
  role: RoleContext,
  ui: Ui,
  job: Job,
  folder: string,
  options: Abortable,
): Promise<void> {
  const { files, bytes: size } = await openFinal(role, job, folder, options);
  const contents = await resultContents(folder, files, options);
  ui.print(
    {
      jobId: job.id,
      state: job.state,
      verdict: job.verdict,
      folder,
      files,
      bytes: size,
      ...contentsData(contents),
    },
    () =>
      [
        `Job ${shortId(job.id)} is Settled; its result lies in ${folder} (${files.length === 1 ? "1 file" : `${files.length} files`}, ${bytes(size)}).`,
        ...contentsText(contents),
        `Rate its provider: ichain rate ${shortId(job.id)} 5`,
      ].join("\n"),
  );
}

/** Why there is no result, and whether there is a log: from the report of a failed run, or the provider's notice. */
async function failureOf({ journal, jobsDir }: RoleContext, { id }: Job) {
  const failure = (await openedReport(jobsDir, id))?.failure;
  if (failure) return { reason: failureText(failure), log: true };
  const notice = noticeIn(journal.open("requester", id));
  return notice?.kind === "failed" ? { reason: notice.reason, log: notice.log !== undefined } : undefined;
}

function ended(job: Job, failed: { reason: string; log: boolean } | undefined): IchainError {
  const id = shortId(job.id);
  return new IchainError(
    "JOB_FAILED",
    `Job ${id} ended ${job.state}${failed ? `: ${failed.reason}` : job.verdict === "fail" ? ": its result was rejected" : ""}.`,
    {
      hint: `The money came back; "ichain why ${id}" tells what happened${failed?.log ? `, "ichain logs ${id}" what its task printed` : ""}.`,
      details: { jobId: job.id, state: job.state, verdict: job.verdict, reason: job.reason },
    },
  );
}
