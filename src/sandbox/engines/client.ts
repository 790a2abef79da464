import Docker from "dockerode";
import type { AbortOptions } from "../../async/abort.ts";
import { engineFault, statusOf } from "./faults.ts";
import { dockerodeOptions, nameOf, type Target } from "./target.ts";

/** An engine that has not answered a plain call by then counts as hung, milliseconds. */
const ANSWER_MS = 30_000;

export type DockerOptions = Target & { readonly answerMs?: number | undefined };

/** A connection to Docker's HTTP API. No other file makes one. */
export interface DockerClient {
  readonly docker: Docker;
  /**
   * One API call with the caller's signal and, unless it is `long`, the time limit. The signal stays linked after the
   * call, because the answer can be a stream.
   */
  call<T>(
    act: (options: { abortSignal: AbortSignal }) => Promise<T>,
    options?: AbortOptions,
    long?: boolean,
  ): Promise<T>;
}

export function dockerClient({ answerMs = ANSWER_MS, ...target }: DockerOptions): DockerClient {
  return {
    docker: new Docker(dockerodeOptions(target)),
    async call(act, { signal } = {}, long = false) {
      signal?.throwIfAborted();
      const timeout = new AbortController();
      const timer = long
        ? undefined
        : setTimeout(() => timeout.abort(new DOMException("No answer.", "TimeoutError")), answerMs);
      try {
        return await act({
          abortSignal: AbortSignal.any(signal ? [signal, timeout.signal] : [timeout.signal]),
        });
      } catch (error) {
        signal?.throwIfAborted();
        throw engineFault(timeout.signal.aborted ? timeout.signal.reason : error, nameOf(target));
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** HTTP status of the engine's answer behind an error, also behind an `IchainError` made from it. */
export function statusBehind(error: unknown): number | undefined {
  return statusOf(error) ?? statusOf((error as { cause?: unknown } | undefined)?.cause);
}

/** Awaits a call and treats these HTTP statuses as success. */
export async function ignoreStatus(act: Promise<unknown>, ...ignored: number[]): Promise<void> {
  try {
    await act;
  } catch (error) {
    const status = statusBehind(error);
    if (status === undefined || !ignored.includes(status)) throw error;
  }
}
