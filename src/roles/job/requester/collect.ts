import { type Abortable, together } from "../../../async/abort.ts";
import { impossible } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Blob } from "../../../ports/transport.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { MAX_REPORT_BYTES, parcelBytes } from "../../../protocol/limits.ts";
import { decodeLocator, type FailureLocator, type ResultLocator } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { fetchBlob } from "../../task/fetch-blob.ts";

/** The encrypted result and run report on the requester's machine. */
export interface Collected {
  readonly locator: ResultLocator | FailureLocator;
  /** Of a run that failed the report. */
  readonly result: Blob;
  readonly report: Blob;
}

/** Fetches the encrypted result and run report, or the report alone; each piece is checked against its root. */
export function collect(
  context: RoleContext,
  journal: JobJournal,
  job: Job,
  { disk }: { disk: number },
  options: Abortable,
): Promise<Collected> {
  const { submission } = job;
  if (!submission) return impossible("a result is collected before it was submitted");
  const home = jobFolder(context.jobsDir, "requester", job.id);
  return journal.step("collect", {
    prepare: async () =>
      decodeLocator(await context.keyring.unseal(submission.sealedResult), "result", "failure"),
    act: async (locator) => {
      const from = (root: Hex, path: string, maxBytes: number) => ({
        endpoint: locator.result,
        root,
        path,
        maxBytes,
      });
      const fetchReport = (root: Hex, bounded: Abortable) =>
        fetchBlob(context, "encrypted run report", from(root, home.report, MAX_REPORT_BYTES), bounded);
      if (locator.kind === "failure") {
        const report = await fetchReport(submission.resultRoot, options);
        return { locator, result: report, report };
      }
      const { resultBytes: size, reportRoot } = locator;
      const wanted = { ...from(submission.resultRoot, home.result, parcelBytes(disk)), size };
      // At once: each fetch takes a rendezvous with the host.
      const [result, report] = await together<[Blob, Blob]>(
        [
          (both) => fetchBlob(context, "encrypted result", wanted, both),
          (both) => fetchReport(reportRoot, both),
        ],
        options,
      );
      return { locator, result, report };
    },
  });
}
