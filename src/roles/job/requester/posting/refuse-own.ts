import { IchainError } from "../../../../errors/error.ts";
import type { Refusal } from "../../../../protocol/policy/refusal.ts";

/**
 * Throws the refusal that a usual policy would give to the requester's own job, before it is packed or posted.
 * @throws the refusal's code; class `usage` where another value in job.yaml helps, else `refused` and retryable
 */
export function refuseOwn(refusal: Refusal | undefined): void {
  if (refusal === undefined) return;
  const { code, reason, fix } = refusal;
  throw new IchainError(code, `A provider or validator with the usual policy refuses this job: ${reason}.`, {
    class: fix === undefined ? "refused" : "usage",
    hint:
      fix === undefined
        ? "Change the job, or post it later: gas may be cheaper then."
        : `Write ${fix.value} for ${fix.field} in job.yaml, or leave the field out.`,
    retryable: fix === undefined,
    details: fix === undefined ? {} : { ...fix },
  });
}
