/**
 * Cancellation without leaks. `AbortSignal.any` and `AbortSignal.timeout` keep memory for as long as their sources live;
 * in a daemon that polls a chain several times a second for months it would add up.
 */

/** Options of every call that can wait. An abort makes the call throw the signal's reason. */
export interface AbortOptions {
  readonly signal?: AbortSignal | undefined;
}

/** `AbortOptions` for roles and daemons, which always have a signal. */
export interface Abortable {
  readonly signal: AbortSignal;
}

/**
 * Calls `listener` once with the signal's reason, at once when it has been aborted; disposing removes the listener.
 * @example using _ = onAbort(signal, (reason) => socket.destroy(reason));
 */
export function onAbort(signal: AbortSignal | undefined, listener: (reason: unknown) => void): Disposable {
  const notify = () => listener(signal?.reason);
  if (signal?.aborted) notify();
  else signal?.addEventListener("abort", notify, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", notify) };
}

/** Resolves when `signal` is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  using _ = onAbort(signal, () => over.resolve());
  await over.promise;
}

/**
 * Waits for `promise`, at most until `signal` aborts or, where given, for `forMs` milliseconds, and then resolves with
 * undefined. The promise itself continues; its outcome is ignored.
 * @throws the signal's reason
 */
export async function raceSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T>;
export async function raceSignal<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  forMs: number | undefined,
): Promise<T | undefined>;
export async function raceSignal<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  forMs?: number,
): Promise<T | undefined> {
  const over = Promise.withResolvers<undefined>();
  const timer = forMs === undefined ? undefined : setTimeout(over.resolve, forMs, undefined);
  using _ = onAbort(signal, over.reject);
  try {
    return await Promise.race([over.promise, promise]);
  } finally {
    clearTimeout(timer);
  }
}

export interface LinkedSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** A signal that aborts with any of `signals`, or with a `TimeoutError` after `timeoutMs`, until it is disposed. */
export function linkSignals(signals: readonly (AbortSignal | undefined)[], timeoutMs?: number): LinkedSignal {
  const own = new AbortController();
  const listeners = signals.map((signal) => onAbort(signal, (reason) => own.abort(reason)));
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => own.abort(new DOMException("The time is up.", "TimeoutError")), timeoutMs);
  return {
    signal: own.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const listener of listeners) listener[Symbol.dispose]();
    },
  };
}

/**
 * Runs all of `works` at once. When one fails the others are aborted, and awaited, so that none goes on unseen.
 * @throws the first failure
 */
export async function together<T extends readonly unknown[]>(
  works: { readonly [K in keyof T]: (options: Abortable) => Promise<T[K]> },
  options: AbortOptions = {},
): Promise<T> {
  const failed = new AbortController();
  using either = linkSignals([options.signal, failed.signal]);
  const running = works.map((work) => work(either));
  for (const one of running) one.catch((reason: unknown) => failed.abort(reason));
  await Promise.allSettled(running);
  failed.signal.throwIfAborted();
  return (await Promise.all(running)) as unknown as T;
}
