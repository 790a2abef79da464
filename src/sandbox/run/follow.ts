import { setTimeout as pause } from "node:timers/promises";
import type { Engine } from "../engines/engine.ts";
import { type BoundedLog, boundedLog } from "./logs.ts";

/** Past this multiple of what is kept, a task's output is read slowly: its own writing has to wait. */
const FREE_FLOW = 4;
const SLOW_CHUNK_BYTES = 2 ** 20;
const SLOW_PAUSE_MS = 250;
/** After its container has ended, output still on its way gets this long. */
const DRAIN_MS = 5_000;
/** Output that ended so much before its container was cut off, most likely. */
const EARLY_MS = 1_000;

export interface Following {
  /** The whole log; call when the container has ended. */
  finish(): Promise<BoundedLog>;
  cancel(): void;
}

export interface OutputOptions {
  readonly keepBytes: number;
  readonly onLog?: ((text: string) => void) | undefined;
  /** Begin with what was printed before. */
  readonly replay: boolean;
}

/** Begins to read the output of a container, which need not have started. */
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
      const signal = AbortSignal.timeout(DRAIN_MS);
      await read(await engine.output(container, { replay: true, signal }), again, { keepBytes, signal });
      return again;
    },
  };
}

/**
 * Reads a task's output into `log` and hands the neutralised text on, to its end. A flood is throttled
 * to some 4 MiB/s, since reading it costs the engine's time and not the task's.
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
