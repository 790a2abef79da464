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

/** A task that still runs this long after its deadline shows that the clock was changed. */
const CLOCK_SECONDS = 60;

/**
 * Does one run, from the point that an earlier call of it reached: returns a recorded result, finishes an ended
 * container, follows a running one, and otherwise starts from the beginning; a run that its engine cut off is made once
 * more. `known` may still be pending, so that
 * asking the engine takes no extra time.
 */
export async function runContainer(
  place: RunConfig,
  known: Promise<EngineFacts>,
  task: SandboxTask,
  options: RunOptions = {},
  { isRepeated = false } = {},
): Promise<TaskRun> {
  const { engine } = place;
  const { signal } = options;
  const name = containerName(place.instance, task.id);
  const home = join(place.runsDir, task.id);
  const limits = tighten(task.limits, place.ceiling);

  known.catch(() => undefined); // reported where it is awaited
  const recorded = await readRecord(home);
  if (recorded !== undefined && (await outputsAreWhole(place.outSpace(home), recorded, { signal }))) {
    await clean(place, (await known).info, { name, home, record: recorded });
    return recorded.run;
  }
  // Started early to save time. A container that is resumed does not need it.
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
    // The container of an engine that cannot be reached may still run and be resumed: leave it, unless the caller aborted.
    const givenUp = signal?.aborted || !isIchainError(error, "DOCKER_UNAVAILABLE");
    // Report the first error. The next sweep removes what cannot be removed now, such as a container that hangs.
    const info = await known.then((answer) => answer.info).catch(() => undefined);
    if (givenUp) await abandon(place, info, { name, home }).catch(() => undefined);
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
    attempt: isRepeated ? "again" : found?.status === "exited" ? "ended" : "first",
  });
  if (record === undefined) {
    await abandon(place, context.info, { name, home });
    return await runContainer(place, known, task, options, { isRepeated: true });
  }
  await clean(place, context.info, { name, home, record });
  return record.run;
}

function secondsLeft(limits: Limits, found: ContainerState | undefined): number {
  if (found === undefined) return limits.wallSeconds;
  const left = limits.wallSeconds - (Date.now() - found.startedAt) / 1000;
  // The deadline inside the container does not depend on the clock. A task that still runs long after it shows that
  // the clock was set forward; one that was set back must not give more than the limit.
  return left < -CLOCK_SECONDS ? limits.wallSeconds : Math.min(limits.wallSeconds, left);
}
