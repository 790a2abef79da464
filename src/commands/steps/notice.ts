import { join } from "node:path";
import type { JobId } from "../../protocol/ids.ts";
import { type Failure, failureText } from "../../protocol/task/failure.ts";
import type { Notice } from "../../protocol/task/notice.ts";
import { openedReport } from "../../roles/job/requester/result/open-report.ts";
import { noticeIn } from "../../roles/job/requester/take-notice.ts";
import { bytes, instant } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { fromRecords } from "./records.ts";

/** What a job's provider told this requester; undefined where it told nothing, or the job is not of this home. */
export async function noticeOf(context: CommandContext, jobId: JobId): Promise<Notice | undefined> {
  return fromRecords(context, (journal) =>
    journal.find("requester", jobId) === undefined ? undefined : noticeIn(journal.open("requester", jobId)),
  );
}

/** The notice in a sentence. */
export function noticeSentence({ kind, code, reason, at, run }: Notice): string {
  if (kind === "declined") return `The provider declined it ${instant(at)} (${code}): "${reason}".`;
  return `The provider says how its run failed: "${reason}"${run ? ` (${endText(run)})` : ""}.`;
}

/** How a job's run failed, by the report that this requester has of it. */
export async function failedRunOf({ config }: CommandContext, jobId: JobId): Promise<FailedRun | undefined> {
  const report = await openedReport(join(config.home, "jobs"), jobId);
  if (report?.failure === undefined) return undefined;
  const { exitCode: _exit, gpuSeconds: _gpus, ...usage } = report.evaluation ?? report.run;
  return { ...report.failure, ...usage };
}

interface FailedRun extends Failure, Omit<NonNullable<Notice["run"]>, "ended"> {}

/** The same in a sentence. */
export function failureSentence(run: FailedRun): string {
  return `The provider says how its run failed: "${failureText(run)}" (${endText(run)}).`;
}

export function endText(run: Omit<NonNullable<Notice["run"]>, "ended">): string {
  const { exitCode, wallSeconds, peakMemoryBytes } = run;
  return `exit code ${exitCode} after ${wallSeconds.toFixed(1)} s, at most ${bytes(peakMemoryBytes)} of memory`;
}
