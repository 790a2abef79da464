/** Why a job is not taken, or not posted. */
export interface Refusal {
  /** Stable, for logs, `policy test` and `submit`. */
  readonly code: string;
  readonly reason: string;
  /** What job.yaml would have to say instead, where one value mends it. */
  readonly fix?: Fix;
}

export interface Fix {
  /** Path in job.yaml, such as `windows.claim`. */
  readonly field: string;
  /** As job.yaml spells it, such as `11m`. */
  readonly value: string;
}

export function refuse(code: string, reason: string, fix?: Fix): Refusal {
  return { code, reason, ...(fix === undefined ? {} : { fix }) };
}
