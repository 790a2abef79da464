import { IchainError } from "../../../errors/error.ts";

/** Nothing that can be held against anybody: the validator abstains with this reason. */
export function measureFailed(why: string): IchainError {
  return new IchainError("MEASURE_FAILED", `The job could not be measured: ${why}.`, { details: { why } });
}
