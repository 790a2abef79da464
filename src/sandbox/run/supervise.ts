import { setTimeout as pause } from "node:timers/promises";
import { IchainError } from "../../errors.ts";
import type { Engine } from "../engines/engine.ts";
import { GRACE_SECONDS } from "../policy.ts";

/** A hung engine is noticed within this time, also while a task runs for days. */
const HEARTBEAT_MS = 15_000;
/** Longest time that a Node timer can hold; the deadline inside the container has no such bound. */
const LONGEST_MS = 2 ** 31 - 1;
/** A killed container is gone by then, or the engine does not work. */
const KILL_MS = 30_000;

/**
 * Waits until the container has ended, and ends it when `seconds` are over ("deadline"). When `signal`
 * aborts it is ended too, and the reason thrown.
 */
export async function supervise(
  engine: Engine,
  container: string,
  {
    seconds,
    signal,
    heartbeatMs = HEARTBEAT_MS,
  }: { seconds: number; signal?: AbortSignal | undefined; heartbeatMs?: number },
): Promise<"itself" | "deadline"> {
  const deadline = AbortSignal.timeout(Math.min(LONGEST_MS, Math.max(0, seconds * 1000)));
  const over = new AbortController();
  const halt = AbortSignal.any([over.signal, deadline, ...(signal ? [signal] : [])]);
  try {
    await Promise.race([
      engine.ended(container, { signal: halt }),
      heartbeat(engine, container, heartbeatMs, halt),
    ]);
    return "itself";
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
  throw new IchainError("A task's container does not end, even by SIGKILL.", {
    code: "CONTAINER_STUCK",
    class: "unavailable",
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
