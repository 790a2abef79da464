/**
 * Signals and waits that leave nothing behind. `AbortSignal.any` and `AbortSignal.timeout` would, in a daemon
 * that asks a chain several times a second for months.
 */

export interface Link {
  readonly signal: AbortSignal;
  /** Lets go of the signals and of the timer. */
  release(): void;
}

/** A signal that is aborted with any of `signals`, or after `timeoutMs`. */
export function linkSignals(signals: readonly (AbortSignal | undefined)[], timeoutMs?: number): Link {
  const own = new AbortController();
  const links = signals.filter((signal) => signal !== undefined);
  const onAbort = (event: Event) => own.abort((event.target as AbortSignal).reason);
  const timeUp = () => own.abort(new DOMException("Time is up.", "TimeoutError"));
  const timer = timeoutMs === undefined ? undefined : setTimeout(timeUp, timeoutMs);
  for (const signal of links) {
    if (signal.aborted) own.abort(signal.reason);
    signal.addEventListener("abort", onAbort);
  }
  return {
    signal: own.signal,
    release() {
      clearTimeout(timer);
      for (const signal of links) signal.removeEventListener("abort", onAbort);
    },
  };
}

/** Waits for `promise`, for `signal` (whose reason is thrown), or for `forMs` (undefined then). */
export async function raceSignal<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  forMs?: number,
): Promise<T | undefined> {
  signal?.throwIfAborted();
  const over = Promise.withResolvers<undefined>();
  const onAbort = () => over.reject(signal?.reason);
  const timer = forMs === undefined ? undefined : setTimeout(over.resolve, forMs, undefined);
  signal?.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
