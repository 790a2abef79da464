import type { ErrorCode } from "../../errors/catalogue.ts";

/** Why a job is not accepted, or not posted. */
export interface Refusal {
  /** Stable, for scripts and logs. */
  readonly code: ErrorCode;
  readonly reason: string;
  /** The value of job.yaml with which the job would not be refused for this reason, where there is one. */
  readonly fix?: Fix;
}

export interface Fix {
  /** Path in job.yaml, such as `windows.claim`. */
  readonly field: string;
  /** In the notation of job.yaml, such as `11m`. */
  readonly value: string;
}

export function refuse(code: ErrorCode, reason: string, fix?: Fix): Refusal {
  return { code, reason, ...(fix === undefined ? {} : { fix }) };
}
