import { setTimeout as pause } from "node:timers/promises";
import { IchainError } from "../../errors/error.ts";
import type { Engine } from "../engines/engine.ts";
import { GRACE_SECONDS } from "../policy.ts";

/** A hung engine is noticed within this time, also while a task runs for days. */
const HEARTBEAT_MS = 15_000;
/** Longest time that a Node timer can hold; the deadline inside the container has no such bound. */
const LONGEST_MS = 2 ** 31 - 1;
/** A killed container is gone by then, or the engine does not work. */
const KILL_MS = 30_000;

export interface Supervision {
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
  readonly heartbeatMs?: number;
  /** Asked every `pollMs`: whether the task has taken more room than it may. */
  readonly isFull?: (() => Promise<boolean>) | undefined;
  readonly pollMs?: number | undefined;
}

/** Who ended a container: the task itself, or we. */
export type EndedBy = "itself" | "deadline" | "disk";

/**
 * Waits until the container has ended, and ends it when `seconds` are over ("deadline") or when it is
 * found full ("disk"). When `signal` aborts it is ended too, and the reason thrown.
 */
export async function supervise(
  engine: Engine,
  container: string,
  { seconds, signal, heartbeatMs = HEARTBEAT_MS, isFull, pollMs }: Supervision,
): Promise<EndedBy> {
  const deadline = AbortSignal.timeout(Math.min(LONGEST_MS, Math.max(0, seconds * 1000)));
  const over = new AbortController();
  const halt = AbortSignal.any([over.signal, deadline, ...(signal ? [signal] : [])]);
  try {
    const by = await Promise.race([
      engine.ended(container, { signal: halt }).then(() => "itself" as const),
      heartbeat(engine, container, heartbeatMs, halt).then(() => "itself" as const),
      ...(isFull && pollMs ? [becomesFull(isFull, pollMs, halt)] : []),
    ]);
    if (by === "disk") await stop(engine, container);
    return by;
  } catch (error) {
    if (!deadline.aborted && !signal?.aborted) throw error;
    await stop(engine, container);
    signal?.throwIfAborted();
    return "deadline";
  } finally {
    over.abort();
  }
}

/** SIGTERM, some seconds of grace, SIGKILL. */
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
  const limit = AbortSignal.timeout(milliseconds);
  try {
    await engine.ended(container, { signal: limit });
    return true;
  } catch (error) {
    if (limit.aborted) return false;
    throw error;
  }
}

/** Returns when the container has ended without our being told, as over a connection that was cut. */
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
