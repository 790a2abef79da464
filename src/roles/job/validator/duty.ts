import type { Abortable } from "../../../async/abort.ts";
import { sameAddress } from "../../../protocol/ids.ts";
import { forJob, type WorkerContext } from "../../context.ts";
import type { Duty } from "../../daemon/daemon.ts";
import { openSlots } from "../../daemon/slots.ts";
import { abandonValidation, type ValidatorSetup, validate } from "./validate.ts";

/** What `ichain validate` does: every job in which this account has a seat. */
export function validateDuty(context: WorkerContext, equipment: Omit<ValidatorSetup, "slots">): Duty {
  const bench = { ...equipment, slots: openSlots(equipment.policy.maxJobs) };
  return {
    role: "validator",
    filter: { validator: context.account },
    wants: (job) =>
      job.state === "Validating" &&
      job.validations.some(({ validator, commitment, abstained, sealed }) => {
        const ours = sameAddress(validator, context.account);
        // In a dispute it is the provider's to say where the result is: one that does not is waited for, and found wrong.
        const told = sealed !== "0x" || job.round !== "first";
        return ours && commitment === undefined && !abstained && told;
      }),
    work: (jobId, options: Abortable) => validate(forJob(context, jobId), jobId, bench, options),
    giveUp: (jobId, options) => abandonValidation(forJob(context, jobId), jobId, options),
  };
}
