/**
 * Every failure that a person can meet. A code is stable: scripts and tests rely on it. The class of
 * a code decides the process's exit code; the message says what happened, the hint what to do next.
 */

/** Exit codes by class of error; 0 is success, 1 a defect of ichain itself, 130 an interrupt. */
export const exitCodes = {
  internal: 1,
  usage: 2, // bad flags, a malformed job.yaml, unknown names
  config: 3, // no wallet, wrong password, no network configured
  unavailable: 4, // chain, Tor, Docker or a peer cannot be reached
  funds: 5, // not enough coin or stake
  refused: 6, // the contract or the other side said no
  untrusted: 7, // what came from outside failed verification
  failed: 8, // the job ended badly: rejected, refunded, task failure
  interrupted: 130,
} as const;

export type ErrorClass = keyof typeof exitCodes;

export interface IchainErrorOptions {
  /** Stable, upper snake case: `WALLET_WRONG_PASSWORD`. */
  code: string;
  class: ErrorClass;
  /** One sentence: what the person can do next. */
  hint: string;
  /** True when the same call may succeed later without a change by the person. */
  retryable?: boolean;
  cause?: unknown;
  /** Facts for `--json`; never secrets. */
  details?: Readonly<Record<string, unknown>>;
}

export class IchainError extends Error {
  readonly code: string;
  readonly class: ErrorClass;
  readonly hint: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, options: IchainErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "IchainError";
    this.code = options.code;
    this.class = options.class;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** True for an `IchainError`, narrowed to `code` when one is given. */
export function isIchainError(error: unknown, code?: string): error is IchainError {
  return error instanceof IchainError && (code === undefined || error.code === code);
}

/** True when `error` is what an aborted `signal` throws. */
export function isAbort(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === "AbortError" || (error as { code?: unknown }).code === "ABORT_ERR")
  );
}

/** A state that the code's own logic excludes; meeting one is a defect of ichain. */
export function impossible(what: string): never {
  throw new IchainError(`Impossible state: ${what}.`, {
    code: "INTERNAL",
    class: "internal",
    hint: "This is a defect of ichain: please report it with the output of the same command under --json.",
  });
}
