import { setTimeout as delay } from "node:timers/promises";
import { isIchainError } from "../../errors/error.ts";
import type { Waits } from "../../ports/market.ts";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

/** How long those who wait for an unreachable node are left waiting, unless they can wait for ever. */
export const PATIENCE_MS = 120_000;

/**
 * What `work` comes to, tried again while the node is out of reach (class `unavailable`, retryable), at
 * growing intervals, until `patienceMs` have gone by since the first failure in a row.
 */
export async function retryUnavailable<T>(
  work: () => Promise<T>,
  { signal }: Waits,
  patienceMs: number = PATIENCE_MS,
): Promise<T> {
  const until = Date.now() + patienceMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      const passing = isIchainError(error) && error.class === "unavailable" && error.retryable;
      if (!passing || Date.now() + pause > until) throw error;
      await delay(pause, undefined, { signal });
    }
  }
}
