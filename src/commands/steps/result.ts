import type { Abortable } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import type { Notice } from "../../protocol/task/notice.ts";
import type { RoleContext } from "../../roles/context.ts";
import { resultContents } from "../../roles/job/requester/result/contents.ts";
import { getResult } from "../../roles/job/requester/result/get.ts";
import { noticeIn } from "../../roles/job/requester/take-notice.ts";
import { bytes } from "../../ui/format.ts";
import type { Ui } from "../../ui/ui.ts";
import { contentsData, contentsText } from "./contents.ts";

/** Where a result goes unless --out names a folder: one named after the job, in the working directory. */
export function resultFolder(jobId: JobId): string {
  return `result-${shortId(jobId)}`;
}

/**
 * Opens the result of a job that is final and prints where it is.
 * @throws JOB_FAILED when there is none
 */
export async function finished(
  role: RoleContext,
  ui: Ui,
  job: Job,
  folder: string,
  options: Abortable,
): Promise<void> {
  if (job.state !== "Settled") throw ended(job, noticeIn(role.journal.open("requester", job.id)));
  const { files, bytes: size } = await getResult(role, job.id, folder, options);
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
        `Job ${shortId(job.id)} is Settled; its result lies in ${folder} (${files.length} files, ${bytes(size)}).`,
        ...contentsText(contents),
        `Rate its provider: ichain rate ${shortId(job.id)} 5`,
      ].join("\n"),
  );
}

function ended(job: Job, notice: Notice | undefined): IchainError {
  const id = shortId(job.id);
  const failed = notice?.kind === "failed" ? notice : undefined;
  return new IchainError(
    "JOB_FAILED",
    `Job ${id} ended ${job.state}${failed ? `: ${failed.reason}` : job.verdict === "fail" ? ": its result was rejected" : ""}.`,
    {
      hint: `The money came back; "ichain why ${id}" tells what happened${failed?.log ? `, "ichain logs ${id}" what its task printed` : ""}.`,
      details: { jobId: job.id, state: job.state, verdict: job.verdict, reason: job.reason },
    },
  );
}
