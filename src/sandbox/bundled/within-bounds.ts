import { type AbortOptions, linkSignals } from "../../async/abort.ts";
import type { IchainError } from "../../errors/error.ts";
import type { ImageBounds } from "../../ports/sandbox.ts";
import { MAX_TIMER_MS } from "../run/supervise.ts";
import { watchFreeSpace } from "./free-space.ts";

/**
 * Runs `act` within the time and the space on the engine's disk (`rootDir`) that `bounds` gives it.
 * @throws what `failed` makes of a bound that was reached
 */
export async function withinBounds<T>(
  rootDir: string,
  { maxBytes, seconds }: Pick<ImageBounds, "maxBytes" | "seconds">,
  { signal, failed }: AbortOptions & { failed(why: string, cause: unknown): IchainError },
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using space = watchFreeSpace(rootDir, maxBytes);
  using limit = linkSignals([space.signal, signal], Math.min(MAX_TIMER_MS, seconds * 1000));
  try {
    return await act(limit.signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (space.signal.aborted) throw failed(`it took more than ${maxBytes} bytes of the disk`, error);
    if (limit.signal.aborted) throw failed(`it took more than ${seconds} s`, error);
    throw error;
  }
}
