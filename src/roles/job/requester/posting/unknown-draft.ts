import { IchainError } from "../../../../errors/error.ts";
import { type JobId, shortId } from "../../../../protocol/ids.ts";

/** A job that was posted from another home folder or by somebody else. */
export function unknownDraft(jobId: JobId): IchainError {
  return new IchainError("JOB_NOT_OURS", `This home folder holds no keys for job ${shortId(jobId)}.`);
}
