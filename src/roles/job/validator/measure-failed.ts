import { IchainError } from "../../../errors/error.ts";

/** Nothing that can be held against anybody: the validator abstains with this reason. */
export function measureFailed(why: string): IchainError {
  return new IchainError(`The job could not be measured: ${why}.`, {
    code: "MEASURE_FAILED",
    class: "failed",
    hint: "The validator abstains; nobody is slashed for it.",
    details: { why },
  });
}
