import { type ErrorCode, entryOf } from "./catalogue.ts";
import type { ErrorClass } from "./entry.ts";

/** What the call knows better than the catalogue. */
export interface IchainErrorOptions {
  /** One sentence: what the person can do next. */
  readonly hint?: string;
  /** For a fault that is another party's at one call and the person's own at another. */
  readonly class?: ErrorClass;
  readonly retryable?: boolean;
  readonly cause?: unknown;
  /** Facts for `--json`; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Every failure that a person can meet. The code is stable: scripts and tests rely on it. The message says what
 * happened, the hint what to do next.
 * @example throw new IchainError("JOB_UNKNOWN", `No job ${id} is on the chain.`, { details: { id } });
 */
export class IchainError extends Error {
  readonly code: ErrorCode;
  readonly class: ErrorClass;
  readonly hint: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: IchainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const entry = entryOf(code);
    this.name = "IchainError";
    this.code = code;
    this.class = options.class ?? entry.class;
    this.hint = options.hint ?? entry.hint;
    this.retryable = options.retryable ?? entry.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** True for an `IchainError`, narrowed to `code` when one is given. */
export function isIchainError(error: unknown, code?: ErrorCode): error is IchainError {
  return error instanceof IchainError && (code === undefined || error.code === code);
}

/** True when `error` is what an aborted `signal` throws. */
export function isAbort(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === "AbortError" || (error as { code?: unknown }).code === "ABORT_ERR")
  );
}

/**
 * For a state that the code's own logic excludes: reaching it is a defect of ichain.
 * @throws INTERNAL
 */
export function impossible(what: string): never {
  throw new IchainError("INTERNAL", `Impossible state: ${what}.`, {
    hint: "This is a defect of ichain: please report it with the output of the same command under --json.",
  });
}
