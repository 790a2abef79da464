import { setTimeout as pause } from "node:timers/promises";
import type { BoundedLog } from "./logs.ts";

/** Past this multiple of what is kept, a task's output is read slowly: its own writing has to wait. */
const FREE_FLOW = 4;
const SLOW_CHUNK_BYTES = 2 ** 20;
const SLOW_PAUSE_MS = 250;

/**
 * Reads a task's output into `log` and hands the neutralised text on, to its end. A flood is throttled
 * to some 4 MiB/s, since reading it costs the engine's time and not the task's.
 */
export async function follow(
  output: AsyncIterable<Uint8Array>,
  log: BoundedLog,
  {
    keepBytes,
    onLog,
    signal,
  }: { keepBytes: number; onLog?: ((text: string) => void) | undefined; signal: AbortSignal },
): Promise<void> {
  let free = keepBytes * FREE_FLOW;
  try {
    for await (const chunk of output) {
      const text = log.push(chunk);
      if (text !== "") onLog?.(text);
      free -= chunk.length;
      if (free > 0) continue;
      free += SLOW_CHUNK_BYTES;
      await pause(SLOW_PAUSE_MS, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const rest = log.end();
  if (rest !== "") onLog?.(rest);
}
