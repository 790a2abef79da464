import { IchainError } from "../../../../errors/error.ts";
import type { Refusal } from "../../../../protocol/policy/refusal.ts";

/**
 * Throws what a careful provider would say to the requester's own job, before it is packed or posted: the refusal's
 * code, class `usage` where another value in job.yaml mends it, else `refused`.
 */
export function refuseOwn(refusal: Refusal | undefined): void {
  if (refusal === undefined) return;
  const { code, reason, fix } = refusal;
  throw new IchainError(`No careful provider or validator takes this job: ${reason}.`, {
    code,
    class: fix === undefined ? "refused" : "usage",
    hint:
      fix === undefined
        ? "Change the job, or post it later: what gas costs changes."
        : `Write ${fix.value} for ${fix.field} in job.yaml, or leave the field out.`,
    retryable: fix === undefined,
    details: fix === undefined ? {} : { ...fix },
  });
}
