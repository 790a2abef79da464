import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { isIchainError } from "../../errors/error.ts";
import type { Limits, RunOptions, SandboxTask, TaskRun } from "../../ports/sandbox.ts";
import type { ContainerState } from "../engines/engine.ts";
import { findImage } from "../images.ts";
import { tighten } from "../limits.ts";
import { containerName } from "../policy.ts";
import { abandon, clean } from "./clean.ts";
import { createContainer, resumable } from "./container.ts";
import { type EngineFacts, produces, type RunConfig } from "./context.ts";
import { finish } from "./finish.ts";
import { type Following, followOutput } from "./follow.ts";
import { outputsAreWhole } from "./outputs.ts";
import { readRecord } from "./record.ts";
import { type EndedBy, supervise } from "./supervise.ts";
import { sampleUsage, usageGroup } from "./usage.ts";

/** A running task that is later than this past its deadline proves that the clock has jumped. */
const CLOCK_SECONDS = 60;

/**
 * One run, from wherever an earlier call of it came to: a recorded result is returned, a finished
 * container judged, a running one followed, and anything else started from the beginning. What the engine
 * says of itself may be still on its way.
 */
export async function runContainer(
  place: RunConfig,
  known: Promise<EngineFacts>,
  task: SandboxTask,
  options: RunOptions = {},
): Promise<TaskRun> {
  const { engine } = place;
  const { signal } = options;
  const name = containerName(place.instance, task.id);
  const home = join(place.runsDir, task.id);
  const limits = tighten(task.limits, place.ceiling);

  known.catch(() => undefined); // reported where it is waited for
  const recorded = await readRecord(home);
  if (recorded !== undefined && (await outputsAreWhole(place.outSpace(home), recorded, { signal }))) {
    await clean(place, (await known).info, { name, home, record: recorded });
    return recorded.run;
  }
  // Looked up beside the rest; who takes up a container needs it no more.
  const image = findImage(engine, task.image, { signal });
  image.catch(() => undefined);
  let found: ContainerState | undefined;
  let output: Following | undefined;
  let sampler: ReturnType<typeof sampleUsage> | undefined;
  let by: EndedBy = "itself";
  try {
    found = await resumable(place, task, name, home, options);
    await mkdir(home, { recursive: true, mode: 0o700 });
    if (found === undefined)
      await createContainer(place, known, task, { name, home, limits, image }, options);
    output = await followOutput(engine, name, {
      keepBytes: limits.logBytes,
      onLog: options.onLog,
      replay: found !== undefined,
    });
    if (found === undefined) await engine.start(name, { signal });
    if (found?.status !== "exited") {
      sampler = usageGroup(name, (await known).info) ? undefined : sampleUsage(engine, name);
      const out = produces(task) ? place.outSpace(home) : undefined;
      by = await supervise(engine, name, {
        seconds: secondsLeft(limits, found),
        signal,
        pollMs: out?.pollMs,
        isFull: () => out?.isFull(limits.diskBytes) ?? Promise.resolve(false),
      });
    }
  } catch (error) {
    output?.cancel();
    sampler?.stop();
    // The engine may come back with the container still running; only what we were told to end is ended.
    const ours = signal?.aborted || !isIchainError(error, "DOCKER_UNAVAILABLE");
    // What cannot be removed now (a runtime that hangs) the next sweep removes; the cause is what counts.
    const info = await known.then((answer) => answer.info).catch(() => undefined);
    if (ours) await abandon(place, info, { name, home }).catch(() => undefined);
    throw error;
  }
  const context = { ...place, ...(await known) };
  const log = await output.finish();
  const record = await finish(context, task, {
    name,
    home,
    limits,
    log,
    by,
    signal,
    sampled: sampler?.stop(),
  });
  await clean(place, context.info, { name, home, record });
  return record.run;
}

function secondsLeft(limits: Limits, found: ContainerState | undefined): number {
  if (found === undefined) return limits.wallSeconds;
  const left = limits.wallSeconds - (Date.now() - found.startedAt) / 1000;
  // The deadline inside has a timer and no clock. Who runs long past it has not overslept: the clock was
  // set. And one that was set back gives nobody more than the limit.
  return left < -CLOCK_SECONDS ? limits.wallSeconds : Math.min(limits.wallSeconds, left);
}
