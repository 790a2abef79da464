import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { IchainError, isIchainError } from "../../errors.ts";
import type { Limits, RunOptions, SandboxTask, TaskRun } from "../../ports/sandbox.ts";
import type { ContainerState, Engine, EngineImage, EngineInfo } from "../engines/engine.ts";
import { findImage } from "../images.ts";
import { tighten } from "../limits.ts";
import { inspectOutputs, MAX_OUTPUT_DEPTH, MAX_OUTPUT_FILES } from "../out/inspect.ts";
import type { OutSpace } from "../out/space.ts";
import { containerName, containerSettings } from "../policy.ts";
import type { OciRuntime } from "../runtimes/choose.ts";
import { type Following, followOutput } from "./follow.ts";
import { makeReadable } from "./lend.ts";
import type { BoundedLog } from "./logs.ts";
import { outputsAreWhole } from "./outputs.ts";
import { type RunRecord, readRecord, writeRecord } from "./record.ts";
import { sampleUsage } from "./sampler.ts";
import { type EndedBy, stop, supervise } from "./supervise.ts";
import { type Usage, usageGroup } from "./usage.ts";
import { verdictOf } from "./verdict.ts";

/** A running task that is later than this past its deadline proves that the clock has jumped. */
const CLOCK_SECONDS = 60;

/** What an engine says of itself, and what a run makes of it. */
export interface Known {
  readonly info: EngineInfo;
  readonly runtime: OciRuntime;
}

/** All that a run needs to know but for the engine's answer. */
export interface RunPlace {
  readonly engine: Engine;
  readonly instance: string;
  /** Private folder with one folder for each run. */
  readonly runsDir: string;
  readonly ceiling: Limits;
  /** The room for outputs of the run with this folder. */
  outSpace(home: string): OutSpace;
}

export type RunContext = RunPlace & Known;

/**
 * One run, from wherever an earlier call of it came to: a recorded result is returned, a finished
 * container judged, a running one followed, and anything else started from the beginning. What the engine
 * says of itself may be still on its way.
 */
export async function runTask(
  place: RunPlace,
  known: Promise<Known>,
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
    await clean({ ...place, ...(await known) }, name, home, recorded);
    return recorded.run;
  }
  // Looked up beside the rest; who takes up a container needs it no more.
  const image = findImage(engine, task.image, { signal });
  image.catch(() => undefined);
  const [found, about] = await Promise.all([resumable(place, task, name, home, options), known]);
  const context = { ...place, ...about };
  await mkdir(home, { recursive: true, mode: 0o700 });
  let output: Following | undefined;
  let sampler: ReturnType<typeof sampleUsage> | undefined;
  let by: EndedBy = "itself";
  try {
    if (found === undefined) await createContainer(context, task, { name, home, limits, image }, options);
    output = await followOutput(engine, name, {
      keepBytes: limits.logBytes,
      onLog: options.onLog,
      replay: found !== undefined,
    });
    if (found === undefined) await engine.start(name, { signal });
    if (found?.status !== "exited")
      sampler = usageGroup(name, context.info) ? undefined : sampleUsage(engine, name);
    if (found?.status !== "exited") {
      const out = produces(task) ? context.outSpace(home) : undefined;
      by = await supervise(engine, name, {
        seconds: secondsLeft(limits, found),
        signal,
        lookMs: out?.lookMs,
        isFull: () => out?.isFull(limits.diskBytes) ?? Promise.resolve(false),
      });
    }
  } catch (error) {
    output?.cancel();
    sampler?.stop();
    // The engine may come back with the container still running; only what we were told to end is ended.
    const ours = signal?.aborted || !isIchainError(error, "DOCKER_UNAVAILABLE");
    // What cannot be removed now (a runtime that hangs) the next sweep removes; the cause is what counts.
    if (ours) await abandon(context, name, home).catch(() => undefined);
    throw error;
  }
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
  await clean(context, name, home, record);
  return record.run;
}

/** The container of an earlier call, when its work can still be used; otherwise it is removed. */
async function resumable(
  { engine, outSpace }: RunPlace,
  task: SandboxTask,
  name: string,
  home: string,
  { signal }: RunOptions,
): Promise<ContainerState | undefined> {
  const state = await engine.inspect(name, { signal });
  if (state === undefined) return undefined;
  const alive = state.status === "running" || (state.status === "exited" && state.startedAt > 0);
  if (alive && (!produces(task) || (await outSpace(home).revive({ signal })))) return state;
  await engine.remove(name, { signal });
  return undefined;
}

async function createContainer(
  { engine, info, instance, runtime, outSpace }: RunContext,
  task: SandboxTask,
  { name, home, limits, image }: { name: string; home: string; limits: Limits; image: Promise<EngineImage> },
  { signal }: RunOptions,
): Promise<void> {
  const out = outSpace(home);
  const group = usageGroup(name, info);
  const { id: imageId } = await image;
  await Promise.all([
    makeReadable(task.inputDir, { signal }),
    task.resultDir === undefined ? undefined : makeReadable(task.resultDir, { signal }),
    produces(task) ? out.clear() : undefined,
    group?.create(),
  ]);
  const settings = containerSettings(task, {
    instance,
    imageId,
    limits,
    outDir: produces(task) ? out.dir : undefined,
    runtime,
    cgroupParent: group?.parent,
    deadline: Math.ceil(Date.now() / 1000) + limits.wallSeconds,
  });
  // The container needs the folder now and its content only at the start.
  const making = [
    engine.create(name, settings, { signal }),
    produces(task) ? out.create(limits.diskBytes, { signal }) : undefined,
  ];
  await Promise.allSettled(making); // neither may go on while the other's failure is cleaned up
  await Promise.all(making);
}

interface Ended {
  readonly name: string;
  readonly home: string;
  readonly limits: Limits;
  readonly log: BoundedLog;
  readonly by: EndedBy;
  readonly signal: AbortSignal | undefined;
  readonly sampled: Usage | undefined;
}

/** Judges the ended container, looks through its outputs, and records the result. */
async function finish(context: RunContext, task: SandboxTask, at: Ended): Promise<RunRecord> {
  const { engine, info } = context;
  const { name, home, limits, log, signal } = at;
  const state = await engine.inspect(name, { signal });
  if (state === undefined) throw lost(task.id);
  const used = (await usageGroup(name, info)?.read()) ?? at.sampled ?? { cpuSeconds: 0, peakMemoryBytes: 0 };
  // The outer group's peak counts what the runtime needed to start the container as well.
  const usage = { ...used, peakMemoryBytes: Math.min(used.peakMemoryBytes, limits.memoryBytes) };
  const out = context.outSpace(home);
  const diskFull = produces(task) && (await out.isFull(limits.diskBytes));
  let ended = verdictOf(state, { limits, by: at.by, diskFull, peakMemoryBytes: usage.peakMemoryBytes });
  let said = "";
  let outputs: RunRecord["outputs"];
  if (ended === "exit" && state.exitCode === 0 && produces(task)) {
    try {
      await engine.fetch?.(name, { signal });
      const bounds = { maxBytes: limits.diskBytes, maxFiles: MAX_OUTPUT_FILES, maxDepth: MAX_OUTPUT_DEPTH };
      outputs = await inspectOutputs(out.dir, bounds, { signal });
    } catch (error) {
      if (!isIchainError(error) || error.class !== "untrusted") throw error;
      ended = error.code === "OUTPUT_TOO_LARGE" ? "disk" : "output";
      said = `\n${error.message}\n`;
    }
  }
  const run: TaskRun = {
    exitCode: state.exitCode,
    ended,
    log: log.text() + said,
    logTruncated: log.truncated,
    wallSeconds: Math.max(0, state.finishedAt - state.startedAt) / 1000,
    ...usage,
  };
  const record = { run, outputs };
  await writeRecord(home, record);
  return record;
}

/** Whether the task writes to /out, and does not look at what is there. */
function produces({ resultDir }: SandboxTask): boolean {
  return resultDir === undefined;
}

/** Removes what a run holds of the machine; outputs that are on record stay, sealed. */
async function clean(
  { engine, info, outSpace }: RunContext,
  name: string,
  home: string,
  record?: RunRecord,
): Promise<void> {
  const out = outSpace(home);
  await Promise.all([engine.remove(name), record?.outputs === undefined ? out.destroy() : out.seal()]);
  await usageGroup(name, info)?.remove();
}

/** Everything that a run holds of the machine, when it will not be finished. */
async function abandon(context: RunContext, name: string, home: string): Promise<void> {
  await stop(context.engine, name).catch(() => undefined); // removed by force in the next line
  await clean(context, name, home);
  await rm(home, { recursive: true, force: true });
}

function secondsLeft(limits: Limits, found: ContainerState | undefined): number {
  if (found === undefined) return limits.wallSeconds;
  const left = limits.wallSeconds - (Date.now() - found.startedAt) / 1000;
  // The deadline inside has a timer and no clock. Who runs long past it has not overslept: the clock was
  // set. And one that was set back gives nobody more than the limit.
  return left < -CLOCK_SECONDS ? limits.wallSeconds : Math.min(limits.wallSeconds, left);
}

function lost(id: string): IchainError {
  return new IchainError(`The container of the run ${id} was removed by somebody else.`, {
    code: "RUN_LOST",
    class: "unavailable",
    hint: "Run it again; leave containers named ichain-… alone.",
    retryable: true,
  });
}
