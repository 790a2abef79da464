import { setTimeout as pause } from "node:timers/promises";
import { linkSignals } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import type { Engine } from "../engines/engine.ts";
import { GRACE_SECONDS } from "../policy.ts";

/** How often the engine is asked, so that one that hangs is noticed while a task runs for days. */
const HEARTBEAT_MS = 15_000;
/** Longest delay of a Node timer; the deadline inside the container has no such bound. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
/** Time for a killed container to end; after it the engine counts as stuck. */
const KILL_MS = 30_000;

export interface Supervision {
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
  readonly heartbeatMs?: number;
  /** Whether the task has exceeded its disk; asked every `pollMs`. */
  readonly isFull?: (() => Promise<boolean>) | undefined;
  readonly pollMs?: number | undefined;
}

/** What ended a container: the task itself, its deadline, or its cap on disk. */
export type EndedBy = "itself" | "deadline" | "disk";

/**
 * Waits until the container has ended, and ends it after `seconds` ("deadline") or when `isFull` ("disk").
 * @throws the signal's reason, after it has ended the container; CONTAINER_STUCK; DOCKER_UNAVAILABLE
 */
export async function supervise(
  engine: Engine,
  container: string,
  { seconds, signal, heartbeatMs = HEARTBEAT_MS, isFull, pollMs }: Supervision,
): Promise<EndedBy> {
  const over = new AbortController();
  using limit = linkSignals([over.signal, signal], Math.min(MAX_TIMER_MS, Math.max(0, seconds * 1000)));
  const halt = limit.signal;
  try {
    const by = await Promise.race([
      engine.ended(container, { signal: halt }).then(() => "itself" as const),
      heartbeat(engine, container, heartbeatMs, halt).then(() => "itself" as const),
      ...(isFull && pollMs ? [becomesFull(isFull, pollMs, halt)] : []),
    ]);
    if (by === "disk") await stop(engine, container);
    return by;
  } catch (error) {
    if (!halt.aborted) throw error;
    await stop(engine, container);
    signal?.throwIfAborted();
    return "deadline";
  } finally {
    over.abort();
  }
}

/**
 * Sends SIGTERM and, after the grace period, SIGKILL.
 * @throws CONTAINER_STUCK when the container does not end
 */
export async function stop(engine: Engine, container: string): Promise<void> {
  await engine.kill(container, "SIGTERM");
  if (await endsWithin(engine, container, GRACE_SECONDS * 1000)) return;
  await engine.kill(container, "SIGKILL");
  if (await endsWithin(engine, container, KILL_MS)) return;
  throw new IchainError("CONTAINER_STUCK", "A task's container does not end, even by SIGKILL.", {
    hint: `Restart the Docker engine, then remove the container ${container}.`,
  });
}

async function endsWithin(engine: Engine, container: string, milliseconds: number): Promise<boolean> {
  using limit = linkSignals([], milliseconds);
  try {
    await engine.ended(container, { signal: limit.signal });
    return true;
  } catch (error) {
    if (limit.signal.aborted) return false;
    throw error;
  }
}

/** Resolves when the container has ended, also when the answer to `engine.ended` was lost with its connection. */
async function heartbeat(
  engine: Engine,
  container: string,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await pause(everyMs, undefined, { signal });
    if ((await engine.inspect(container, { signal }))?.status !== "running") return;
  }
}

async function becomesFull(
  isFull: () => Promise<boolean>,
  everyMs: number,
  signal: AbortSignal,
): Promise<"disk"> {
  do await pause(everyMs, undefined, { signal });
  while (!(await isFull()));
  return "disk";
}
