import { setTimeout as delay } from "node:timers/promises";
import { type IchainError, isIchainError } from "../errors/error.ts";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Does `work`, again and again while it fails in a way that may pass, with longer and longer pauses; short ones again
 * once it has gone well for as long as the longest, for then it is another trouble. What it does must be safe to begin
 * anew, as everything is that keeps a journal.
 */
export async function retryTransient<Result>(
  work: () => Promise<Result>,
  onRetry: (error: IchainError, pauseSeconds: number) => void,
  { signal }: { signal: AbortSignal },
): Promise<Result> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const began = performance.now();
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isIchainError(error) || !error.retryable) throw error;
      if (performance.now() - began > LONGEST_PAUSE_MS) pause = FIRST_PAUSE_MS;
      onRetry(error, pause / 1000);
      await delay(pause, undefined, { signal });
    }
  }
}
