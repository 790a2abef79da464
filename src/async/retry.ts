import { setTimeout as delay } from "node:timers/promises";
import { type IchainError, isIchainError } from "../errors/error.ts";
import type { AbortOptions } from "./abort.ts";

export interface RetryOptions extends AbortOptions {
  /** True for an error after which `work` is tried again; others are thrown. */
  readonly when: (error: unknown) => boolean;
  /** Milliseconds before the second try. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** Ratio of each pause to the one before; 2 unless given. */
  readonly factor?: number;
  /** No try begins later than this after the call, milliseconds; without a limit unless given. */
  readonly withinMs?: number;
  readonly onRetry?: (error: unknown, pauseMs: number) => void;
}

/**
 * Repeats `work` until it succeeds, with growing pauses. After a try that ran for longer than the longest pause, pauses
 * start from the first again: its failure has another cause. `work` must be safe to repeat.
 * @throws what `when` does not accept, the last error once `withinMs` is over, or the signal's reason
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, when, firstPauseMs, longestPauseMs, factor = 2, withinMs, onRetry } = options;
  const until = performance.now() + (withinMs ?? Number.POSITIVE_INFINITY);
  for (let pause = firstPauseMs; ; pause = Math.min(pause * factor, longestPauseMs)) {
    const began = performance.now();
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (performance.now() - began > longestPauseMs) pause = firstPauseMs;
      if (!when(error) || performance.now() + pause > until) throw error;
      onRetry?.(error, pause);
      await delay(pause, undefined, { signal });
    }
  }
}

/** Retries every failure that its code calls retryable, without a limit, after pauses of 1 to 60 seconds. */
export function retryTransient<T>(
  work: () => Promise<T>,
  onRetry: (error: IchainError, pauseSeconds: number) => void,
  { signal }: AbortOptions,
): Promise<T> {
  return retry(work, {
    signal,
    when: (error) => isIchainError(error) && error.retryable,
    firstPauseMs: 1_000,
    longestPauseMs: 60_000,
    onRetry: (error, pauseMs) => onRetry(error as IchainError, pauseMs / 1000),
  });
}

/** For a peer that cannot be reached, unless the caller gives another limit; milliseconds. */
const UNAVAILABLE_MS = 120_000;

/** Retries while a peer cannot be reached: class `unavailable`, retryable. */
export function retryUnavailable<T>(
  work: () => Promise<T>,
  { signal }: AbortOptions,
  withinMs: number = UNAVAILABLE_MS,
): Promise<T> {
  return retry(work, {
    signal,
    when: (error) => isIchainError(error) && error.class === "unavailable" && error.retryable,
    firstPauseMs: 250,
    longestPauseMs: 15_000,
    withinMs,
  });
}
