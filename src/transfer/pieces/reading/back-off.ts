import { setTimeout as delay } from "node:timers/promises";
import type { Tuning } from "./tuning.ts";

/** Waits after the `failures`-th failure in a row: twice as long each time, with jitter, up to a bound. */
export async function backOff(
  failures: number,
  { backOffMs, maxBackOffMs }: Pick<Tuning, "backOffMs" | "maxBackOffMs">,
  signal: AbortSignal,
): Promise<void> {
  const longest = Math.min(maxBackOffMs, backOffMs * 2 ** Math.max(0, failures - 1));
  await delay(longest * (0.5 + Math.random() / 2), undefined, { signal });
}
