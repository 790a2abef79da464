import { type Abortable, together } from "../../../async/abort.ts";
import { impossible } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Blob } from "../../../ports/transport.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { MAX_REPORT_BYTES, parcelBytes } from "../../../protocol/limits.ts";
import { decodeLocator, type ResultLocator } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { fetchBlob } from "../../task/fetch-blob.ts";

/** The encrypted result and run report on the requester's machine. */
export interface Collected {
  readonly locator: ResultLocator;
  readonly result: Blob;
  readonly report: Blob;
}

/** Fetches the encrypted result and run report; each piece is checked against its root. */
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
    prepare: async () => decodeLocator(await context.keyring.unseal(submission.sealedResult), "result"),
    act: async (locator) => {
      const { result: endpoint, resultBytes: size, reportRoot } = locator;
      const { resultRoot } = submission;
      const maxBytes = parcelBytes(disk);
      // At once: each fetch takes a rendezvous with the host.
      const [result, report] = await together<[Blob, Blob]>(
        [
          (both) =>
            fetchBlob(
              context,
              "encrypted result",
              { endpoint, root: resultRoot, path: home.result, maxBytes, size },
              both,
            ),
          (both) =>
            fetchBlob(
              context,
              "encrypted run report",
              { endpoint, root: reportRoot, path: home.report, maxBytes: MAX_REPORT_BYTES },
              both,
            ),
        ],
        options,
      );
      return { locator, result, report };
    },
  });
}
