import { IchainError } from "../../../../errors/error.ts";
import { type JobId, shortId } from "../../../../protocol/ids.ts";

/** A job that was posted from another home folder or by somebody else. */
export function unknownDraft(jobId: JobId): IchainError {
  return new IchainError(`This home folder holds no keys for job ${shortId(jobId)}.`, {
    code: "JOB_NOT_OURS",
    class: "usage",
    hint: "Use the ICHAIN_HOME that the job was submitted from; `ichain jobs` lists what it knows.",
  });
}
