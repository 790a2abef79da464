import { setTimeout as pause } from "node:timers/promises";
import { linkSignals } from "../../async/abort.ts";
import type { Engine } from "../engines/engine.ts";
import { type BoundedLog, boundedLog } from "./logs.ts";

/** A task's output beyond this multiple of what is kept is read slowly, so that the task has to wait when it writes. */
const UNTHROTTLED_MULTIPLE = 4;
const SLOW_CHUNK_BYTES = 2 ** 20;
const SLOW_PAUSE_MS = 250;
/** Time for output that is still in transit when the container has ended. */
const DRAIN_MS = 5_000;
/** Output that ended this much before its container may have been cut off: it is read again, which costs a call. */
const EARLY_MS = 50;

export interface Following {
  /** The whole log. Call it when the container has ended. */
  finish(): Promise<BoundedLog>;
  cancel(): void;
}

export interface OutputOptions {
  readonly keepBytes: number;
  readonly onLog?: ((text: string) => void) | undefined;
  /** Whether to begin with what was printed before the call. */
  readonly replay: boolean;
}

/** Begins to read the output of a container, which may not have started yet. */
export async function followOutput(
  engine: Engine,
  container: string,
  { keepBytes, onLog, replay }: OutputOptions,
): Promise<Following> {
  const halt = new AbortController();
  const log = boundedLog(keepBytes);
  const output = await engine.output(container, { replay, signal: halt.signal });
  let endedAt: number | undefined;
  const reading = read(output, log, { keepBytes, onLog, signal: halt.signal }).then(
    () => {
      endedAt = performance.now();
      return true;
    },
    () => false, // the connection broke
  );

  return {
    cancel: () => halt.abort(),
    async finish() {
      const early = endedAt !== undefined && performance.now() - endedAt > EARLY_MS;
      const drained = setTimeout(() => halt.abort(), DRAIN_MS);
      const whole = await reading.finally(() => clearTimeout(drained));
      if (whole && !early) return log;
      const again = boundedLog(keepBytes);
      using limit = linkSignals([], DRAIN_MS);
      const { signal } = limit;
      await read(await engine.output(container, { replay: true, signal }), again, { keepBytes, signal });
      return again;
    },
  };
}

/**
 * Reads a task's output into `log` to its end and passes the neutralised text to `onLog`. A flood is throttled to some
 * 4 MiB/s, because the CPU time for it is the engine's and not the task's.
 */
async function read(
  output: AsyncIterable<Uint8Array>,
  log: BoundedLog,
  {
    keepBytes,
    onLog,
    signal,
  }: { keepBytes: number; onLog?: ((text: string) => void) | undefined; signal: AbortSignal },
): Promise<void> {
  let unthrottled = keepBytes * UNTHROTTLED_MULTIPLE;
  try {
    for await (const chunk of output) {
      const text = log.push(chunk);
      if (text !== "") onLog?.(text);
      unthrottled -= chunk.length;
      if (unthrottled > 0) continue;
      unthrottled += SLOW_CHUNK_BYTES;
      await pause(SLOW_PAUSE_MS, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const rest = log.end();
  if (rest !== "") onLog?.(rest);
}
